import { parseArgs } from 'node:util';
import { startFakeArgyle } from '../fake-argyle/fake-argyle.ts';
import { expectFree } from './loopback.ts';
import { startPipeline } from './pipeline.ts';
import { synthesize } from './synthesize.ts';

// What can be switched on, is.
const everything = { argyleCredentials: 'argyle/api-key', publishChanges: 'true' };

try {
  await run();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}

async function run(): Promise<void> {
  const variables = {
    PORT: port('PORT', 8787),
    DYNAMODB_PORT: port('DYNAMODB_PORT', 8788),
    SQS_PORT: port('SQS_PORT', 8789),
  };
  const ports = { gateway: variables.PORT, dynamodb: variables.DYNAMODB_PORT, sqs: variables.SQS_PORT };
  const context = { ...everything, ...contextOf(process.argv.slice(2)) };
  const stopRequested = stopSignal();
  // Said now, not when the stack is made.
  for (const [variable, port] of Object.entries(variables)) await expectFree(variable, port);
  console.log('Synthesizing the stack: a few seconds.');
  const assembly = await synthesize(context, { validation: false });
  const credentials = { apiKeyId: 'local', apiKeySecret: 'local' };
  const argyle = await startFakeArgyle({ port: 0, ...credentials });
  try {
    const pipeline = await startPipeline({
      assembly: assembly.directory,
      ports,
      argyle: { ...argyle, credentials },
      webhookSecret: process.env.WEBHOOK_SECRET || 'local-secret',
      onLog: (functionName, line) => console.error(`${functionName} ${line}`),
      onWarning: (text) => console.error(text),
    });
    console.log(
      `Console ${new URL('/', pipeline.webhookUrl)}  DynamoDB ${pipeline.dynamodbEndpoint}  SQS ${pipeline.sqsEndpoint}`,
    );
    console.log(`ready ${pipeline.webhookUrl}`);
    await stopRequested;
    await pipeline.stop();
  } finally {
    await argyle.stop();
    await assembly.remove();
  }
}

// As the CDK CLI takes it: `-c key=value`, as often as wanted.
function contextOf(words: string[]): Record<string, string> {
  const { context = [] } = parseArgs({
    args: words,
    options: { context: { type: 'string', short: 'c', multiple: true } },
  }).values;
  const pairs = context.map((pair): [string, string] => {
    const [, key = '', value = ''] = /^([^=]+)=(.*)$/s.exec(pair) ?? [];
    if (!key) throw new Error(`-c ${pair} is not allowed: use -c key=value, as -c stage=production.`);
    return [key, value];
  });
  return Object.fromEntries(pairs);
}

async function stopSignal(): Promise<void> {
  const parent = process.ppid;
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve()).once('SIGTERM', () => resolve());
    // npm hands a signal to its shell, which dies without telling us: then we are somebody else's child.
    setInterval(() => process.ppid !== parent && resolve(), 250).unref();
  });
}

function port(variable: string, usual: number): number {
  const value = process.env[variable] || String(usual);
  if (/^\d{1,5}$/.test(value) && Number(value) >= 1 && Number(value) <= 65_535) return Number(value);
  throw new Error(`${variable}=${value} is not allowed: use a port from 1 to 65535.`);
}
