import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Observer } from '../conformance/observer.ts';
import { createReceiver } from '../conformance/receiver.ts';
import { sampleIdStart, sampleName } from '../conformance/samples.ts';
import { type Result, runSuite } from '../conformance/suite.ts';
import { type Endpoint, endpointAt, endpointOf } from './endpoint.ts';
import { readRecord } from './records.ts';
import type { Report } from './report.ts';
import { awsClientOptions, findTarget, type TargetOptions, UsageError } from './target.ts';

/** The options of `check`. */
export type CheckOptions = { readonly url?: URL; readonly table?: string; readonly yes?: boolean };

/** What a check does to the stack. The user reads this before confirming. */
export const checkConsequences =
  'The check sends about 250 webhooks, up to 32 at once. They leave records, whose ids start with ' +
  `${sampleIdStart}, and quarantined messages, most of which name the subscription '${sampleName}'. The alarms ` +
  'quarantined, too-large and refusals fire.';

const labels = { passed: 'passed', failed: 'FAILED', not_observable: 'not observable here' } as const;

// Pause between two pieces of a slow body, which therefore takes over a second.
const pauseMs = 150;

/** Checks that a receiver behaves as it must, and returns whether no check failed. Throws a UsageError if it cannot run. */
export async function checkReceiver(options: TargetOptions, report: Report, check: CheckOptions): Promise<boolean> {
  const found = await findReceiver(options, report, check).catch((cause: Error) => {
    throw new UsageError(cause.message, { cause });
  });
  if (!found) {
    report.result({ checked: false }, 'Nothing was sent.');
    return true;
  }
  const receiver = createReceiver({ ...found, pauseMs });
  try {
    await receiver.roundTrip().catch((cause: NodeJS.ErrnoException) => {
      throw new UsageError(`${found.url.href} does not answer: ${cause.code ?? cause.message}`, { cause });
    });
    const onResult = (result: Result) => report.asJson || report.line(lineOf(result));
    const checks = await runSuite(receiver, found.observer, { onResult });
    return printTotals(found.url, checks, report);
  } finally {
    receiver.close();
  }
}

// Returns undefined when the user does not confirm. For a receiver at --url it prints the consequences and does not ask, because
// scripts check it unattended.
async function findReceiver(
  options: TargetOptions,
  report: Report,
  { url, table, yes }: CheckOptions,
): Promise<(Endpoint & { readonly observer: Observer }) | undefined> {
  if (url) {
    const endpoint = endpointAt(url);
    const observer = table ? observerOf(new DynamoDBClient(awsClientOptions(options)), table) : {};
    // Fails now, and not in every check, when the table cannot be read.
    await observer.readRecord?.(`${sampleIdStart}-0000-0000-0000-000000000000`);
    report.remark(checkConsequences);
    return { ...endpoint, observer };
  }
  if (table) throw new UsageError('--table needs --url: without it, the stack names its table.');
  const target = await findTarget(options);
  const isConfirmed = target.isLocal || (await report.confirm(`${target.stackName}: ${checkConsequences}`, yes));
  if (!isConfirmed) return undefined;
  const dynamodb = new DynamoDBClient(target.clientOptions('DYNAMODB'));
  return { ...(await endpointOf(target)), observer: observerOf(dynamodb, target.uploadTableName) };
}

function observerOf(dynamodb: DynamoDBClient, table: string): Observer {
  return { readRecord: (userUpload) => readRecord(dynamodb, table, userUpload) };
}

function printTotals({ href }: URL, checks: readonly Result[], report: Report): boolean {
  const count = (outcome: Result['outcome']) => checks.filter((check) => check.outcome === outcome).length;
  const totals = { passed: count('passed'), failed: count('failed'), notObservable: count('not_observable') };
  const text = `${totals.passed} passed, ${totals.failed} failed, ${totals.notObservable} not observable here`;
  report.result({ url: href, ...totals, checks }, text);
  return totals.failed === 0;
}

function lineOf({ name, outcome, detail }: Result): string {
  return `${labels[outcome]}: ${name}${detail === undefined ? '' : ` (${detail})`}`;
}
