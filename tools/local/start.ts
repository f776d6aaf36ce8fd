import { Command, InvalidArgumentError } from 'commander';
import { startFakeArgyle } from '../fake-argyle/fake-argyle.ts';
import { escapeLogLine } from '../terminal/escape-controls.ts';
import { createPrint } from '../terminal/printer.ts';
import { formatLogLine } from './format-log-line.ts';
import { ensureFreePort } from './loopback.ts';
import { startPipeline } from './pipeline.ts';
import { synthesize } from './synthesize.ts';

// Every optional feature is on.
const defaultContext = { argyleCredentials: 'argyle/api-key', publishChanges: 'true' };

const print = createPrint((text) => process.stdout.write(`${text}\n`), process.stdout);
const printError = createPrint((text) => process.stderr.write(`${text}\n`), process.stderr);

const stop = stopSignal();
try {
  await run(stop);
} catch (error) {
  // Ctrl-C also interrupts the child processes, so errors after it are expected and not printed.
  if (!stop.aborted) {
    printError((error as Error).message);
    process.exitCode = 1;
  }
}

async function run(stop: AbortSignal): Promise<void> {
  const { context, json } = readArguments();
  const ports = {
    gateway: readPort('PORT', 8787),
    dynamodb: readPort('DYNAMODB_PORT', 8788),
    sqs: readPort('SQS_PORT', 8789),
  };
  // Before the synthesis, which takes seconds.
  await ensureFreePort('PORT', ports.gateway);
  await ensureFreePort('DYNAMODB_PORT', ports.dynamodb);
  await ensureFreePort('SQS_PORT', ports.sqs);
  print('Synthesizing the stack takes a few seconds.');
  const assembly = await synthesize(context, { validation: false, signal: stop });
  const credentials = { apiKeyId: 'local', apiKeySecret: 'local' };
  const argyle = await startFakeArgyle({ port: 0, ...credentials });
  try {
    const pipeline = await startPipeline({
      assembly: assembly.directory,
      ports,
      argyle: { ...argyle, credentials },
      webhookSecret: process.env.WEBHOOK_SECRET || 'local-secret',
      onLog: (name, line) => printError(...(json ? [`${name} ${escapeLogLine(line)}`] : formatLogLine(name, line))),
      onWarning: printError,
    });
    const { webhookUrl, dynamodbEndpoint, sqsEndpoint } = pipeline;
    print(`Console ${new URL('/', webhookUrl)}  DynamoDB ${dynamodbEndpoint}  SQS ${sqsEndpoint}`);
    print(`ready ${webhookUrl}`);
    if (!stop.aborted) await new Promise((resolve) => stop.addEventListener('abort', resolve));
    await pipeline.stop();
  } finally {
    await argyle.stop();
    assembly.remove();
  }
}

function readArguments(): { context: Readonly<Record<string, string>>; json?: true } {
  return new Command('npm start --')
    .description('Runs the stack on this machine: the bundled functions, on emulators of AWS.')
    .option('-c, --context <key=value>', 'a setting, as for cdk; repeatable', addSetting, defaultContext)
    .option('--json', 'print the original log lines of the functions')
    .parse()
    .opts();
}

function addSetting(pair: string, settings: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const [, key, value = ''] = /^([^=]+)=(.*)$/s.exec(pair) ?? [];
  if (key) return { ...settings, [key]: value };
  throw new InvalidArgumentError('Use -c key=value, for example -c stage=production.');
}

function readPort(variable: string, defaultPort: number): number {
  const value = process.env[variable] || String(defaultPort);
  if (/^\d{1,5}$/.test(value) && Number(value) <= 65_535) return Number(value);
  throw new Error(`${variable}=${value} is not allowed: use a port from 1 to 65535, or 0 for a free port.`);
}

// Aborts when the process has to stop. A second signal of the same kind ends it at once.
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  const request = () => stop.abort();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(name, () => {
      request();
      process.once(name, () => process.exit(1));
    });
  // Printing fails once the terminal is closed. Without a listener, that error ends the process before it has cleaned up.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', request);
  return stop.signal;
}
