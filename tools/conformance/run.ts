import { parseArgs } from 'node:util';
import { createReceiver } from './receiver.ts';
import { sampleIdStart, sampleName } from './samples.ts';
import { type Result, runSuite } from './suite.ts';
import { createTableObserver } from './table-observer.ts';

const usage = `usage: npm run conformance -- --url URL [--secret S] [--table NAME] [--json]

Checks from outside that a receiver of Argyle's webhooks behaves as it must: one line per check.
It sends real webhooks: they stay as records and in the quarantine, and the alarms about the quarantine and about too
large bodies fire. All ids in them begin with ${sampleIdStart}; most name the subscription '${sampleName}'.
  --url URL     where the receiver takes webhooks
  --secret S    the signing secret (default: WEBHOOK_SECRET)
  --table NAME  the stack's UploadTableName, read with the AWS credentials of the environment: gives readRecord
  --json        one JSON document instead of lines

Exit code: 0 no check failed, 1 one failed, 2 it could not run.`;

// A slow client takes over a second for its body.
const pauseMs = 200;

const labels = { passed: 'passed', failed: 'FAILED', not_observable: 'not observable here' } as const;

try {
  process.exitCode = await run();
} catch (error) {
  console.error(`${(error as Error).message}\n\n${usage}`);
  process.exitCode = 2;
}

async function run(): Promise<number> {
  const { url, secret, table, json, help } = readArguments();
  if (help) {
    console.log(usage);
    return 0;
  }
  const receiver = createReceiver({ url, secret, pauseMs });
  await receiver.roundTrip().catch((error: NodeJS.ErrnoException) => {
    throw new Error(`${url.href} does not answer: ${error.code ?? error.message}`, { cause: error });
  });
  const observer = table === undefined ? {} : createTableObserver(table);
  const results = await runSuite(receiver, observer, {
    onResult: (result) => json || console.log(lineOf(result)),
  });
  receiver.close();

  const count = (outcome: Result['outcome']) => results.filter((result) => result.outcome === outcome).length;
  const totals = { passed: count('passed'), failed: count('failed'), notObservable: count('not_observable') };
  if (json) console.log(JSON.stringify({ url: url.href, ...totals, checks: results }, null, 2));
  else console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.notObservable} not observable here`);
  return totals.failed === 0 ? 0 : 1;
}

function lineOf({ name, outcome, detail }: Result): string {
  return `${labels[outcome]}: ${name}${detail === undefined ? '' : ` (${detail})`}`;
}

function readArguments() {
  const { values } = parseArgs({
    options: {
      url: { type: 'string' },
      secret: { type: 'string', default: process.env.WEBHOOK_SECRET ?? '' },
      table: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return { ...values, url: new URL('http://help') };
  if (values.url === undefined) throw new Error('Say where the receiver is: --url https://...');
  if (!/^https?:\/\//.test(values.url) || !URL.canParse(values.url))
    throw new Error(`--url ${values.url} is not allowed: use an http or https URL.`);
  if (values.secret === '') throw new Error('Say what the deliveries are signed with: --secret, or WEBHOOK_SECRET.');
  return { ...values, url: new URL(values.url) };
}
