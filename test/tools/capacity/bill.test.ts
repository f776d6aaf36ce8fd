import { describe, expect, inject, test } from 'vitest';
import { eventTypes } from '../../../functions/domain/events.ts';
import { assume } from '../../../tools/capacity/assumptions.ts';
import { type Bill, billAt, total } from '../../../tools/capacity/bill.ts';
import { simulateBurst, simulateOutage } from '../../../tools/capacity/incidents.ts';
import { limitsOf } from '../../../tools/capacity/limits.ts';
import { dollarsFor } from '../../../tools/capacity/prices.ts';
import { billReport } from '../../../tools/capacity/report.ts';
import { evenly } from '../../../tools/capacity/simulation/arrivals.ts';
import { readStackFacts } from '../../../tools/capacity/stack-facts.ts';
import { type Properties, type Resource, readTemplate } from '../../../tools/local/template.ts';
import type { AssemblyName } from '../../support/assemblies.ts';

const assumed = assume(['ingestLogBytes=400', 'workerLogBytes=500', 'recordBytes=300']);
const production = readTemplate(inject('assemblies').production);
const facts = readStackFacts(production);
const bill = billAt(100, facts, assumed);
// A month has 730 hours.
const webhooks = 100 * 730 * 3_600;
const millions = webhooks / 1_000_000;
const gigabyte = 1_024 ** 3;

test.each([
  ['sqsRequest', 2_500_000, 1],
  ['dashboard', 0, 0],
  // A tier applies only to the units above it.
  ['httpApiRequest', 300_000_000, 300],
  ['httpApiRequest', 400_000_000, 300 + 90],
  ['lambdaX86', 16_000_000_000, 6_000 * 16.6667 + 9_000 * 15 + 1_000 * 13.334],
] as const)('the price %s applies to %d units', (name, units, dollars) => {
  expect(dollarsFor(name, units)).toBeCloseTo(dollars, 6);
});

describe('a month at 100 webhooks per second', () => {
  test.each([
    ['API: requests', millions * 1],
    // Half a gigabyte for 12 ms.
    ['Lambda: time of ingest', webhooks * 0.012 * 0.5 * 0.0000133334],
    ['SQS: sends', millions * 0.4],
    ['SQS: deletes, one per batch', millions * 0.4],
    ['Lambda: requests of the workers', millions * 0.2],
    ['DynamoDB: writes of records', millions * 0.625],
    // Two entries for one webhook in three.
    ['DynamoDB: entries of 2 indexes, one per document', millions * (2 / 3) * 0.625],
    // Five environments read again with the first request after 60 s.
    ['Secrets Manager: reads of the webhook secret', (((5 * 730 * 3_600) / (60 + 5 / 100)) * 0.05) / 10_000],
    ['Secrets Manager: secrets', 0.4],
    // CloudWatch bills 26 bytes more for each line.
    ["Logs: ingest's lines", ((webhooks * 426) / gigabyte) * 0.5],
    ["Logs: the workers' lines", ((webhooks * 526) / gigabyte) * 0.5],
    // Two of ingest and five of each worker.
    ['CloudWatch: custom metrics', (2 + 5 * eventTypes.length) * 0.3],
    ['CloudWatch: dashboards', 3],
  ])('%s', (name, dollars) => {
    expect(lineOf(bill, name).dollars).toBeCloseTo(dollars, 3);
  });

  test('an alarm on an expression counts each metric of the expression', () => {
    const alarms = production.ofType('AWS::CloudWatch::Alarm');
    const metrics = alarms.flatMap(({ properties: { Metrics = [{ MetricStat: {} }] } }) =>
      Metrics.filter(({ MetricStat }: { readonly MetricStat?: object }) => MetricStat),
    );
    expect(metrics.length).toBeGreaterThan(alarms.length);
    expect(lineOf(bill, 'CloudWatch: alarm metrics').units).toBe(metrics.length);
  });

  test('storage grows with each document and its index entries', () => {
    // A record, and two entries of two ids of 36 characters and their names; 100 bytes of overhead each.
    const gigabytes = (bytes: number) => (bytes * 1_000_000) / 3 / gigabyte;
    const [records, entries] = [gigabytes(300 + 100), 2 * gigabytes(36 + 10 + 36 + 7 + 100)];
    expect(bill.storage.gigabytes).toBeCloseTo(records + entries, 9);
    // Point-in-time recovery does not include indexes.
    expect(bill.storage.dollars).toBeCloseTo((records + entries) * 0.25 + records * 0.2, 9);
  });

  test('the report lists each line, the total, and the source of each price', () => {
    const report = billReport(bill);
    for (const { name } of bill.lines) expect(report).toContain(`| ${name} `);
    expect(report).toContain(` ${total(bill).toFixed(2)} |`);
    for (const { price } of bill.lines)
      expect(report).toMatch(new RegExp(`\\| ${price} .* https://.* \\(\\w+ ?\\w*\\)`));
  });
});

describe('every resource', () => {
  test.each(['sandbox', 'production', 'connected'] as const)('of %s is priced or free', (assembly) => {
    expect(() => billOf(100, resourcesOf(assembly))).not.toThrow();
  });

  test('of another type, or that reads a stream, is rejected by name', () => {
    const properties = { FunctionName: 'one', EventSourceArn: 'a stream' };
    const added = (type: string) => [...production.resources, { logicalId: 'Added', type, properties }];
    expect(() => billOf(1, added('AWS::Kinesis::Stream'))).toThrow(
      /^The price of AWS::Kinesis::Stream \(Added\) in argyle-uploads-production is unknown: list its type in tools\/capacity\/billable-types\.ts/,
    );
    expect(() => billOf(1, added('AWS::Lambda::EventSourceMapping'))).toThrow('The price of Added is unknown');
  });
});

describe('settings change the bill', () => {
  test('credentials for Argyle add documents and the key, and published changes a pipe with its events', () => {
    const connected = billOf(100, resourcesOf('connected'));
    const fetched = (webhooks * (eventTypes.length - 1)) / eventTypes.length;
    expect(lineOf(connected, "DynamoDB: writes of documents from Argyle's API").units).toBeCloseTo(fetched, 3);
    expect(lineOf(connected, "Secrets Manager: reads of Argyle's API key").units).toBeGreaterThan(0);
    expect(lineOf(connected, 'Secrets Manager: secrets').units).toBe(2);
    for (const name of ['Pipes: changes of records', 'Lambda: requests of record-changes', 'EventBridge: events'])
      expect(lineOf(connected, name).units).toBe(webhooks);
  });

  test('JSON logs at level WARN remove START, END and REPORT', () => {
    const platformLines = ({ lines }: Bill) => lines.filter(({ name }) => name.includes('REPORT')).length;
    const LoggingConfig = { LogFormat: 'JSON', SystemLogLevel: 'WARN' };
    const quiet = billOf(100, withProperties('AWS::Lambda::Function', { LoggingConfig }));
    expect([platformLines(bill), platformLines(quiet)]).toEqual([2, 0]);
  });

  test('a batching window fills the batches and lowers the total', () => {
    const window = { MaximumBatchingWindowInSeconds: 5 };
    const windowed = billOf(100, withProperties('AWS::Lambda::EventSourceMapping', window));
    expect([bill.load.recordsPerBatch < 1.1, windowed.load.recordsPerBatch > 9]).toEqual([true, true]);
    expect(total(windowed)).toBeLessThan(total(bill));
  });
});

test('an assumption can be replaced by a number, and only by its name', () => {
  expect(assume(['ingestMs=20.5'])).toMatchObject({ ingestMs: 20.5, workerMs: assume().workerMs });
  for (const text of ['ingestMS=20', 'ingestMs=fast'])
    expect(() => assume([text])).toThrow(`--assume ${text} is not allowed: use NAME=NUMBER with one of ingestMs,`);
});

test('an idle stack pays for five pollers per event type', () => {
  const { emptyReceivesPerSecond } = billAt(0.01, facts, assumed).load;
  expect(emptyReceivesPerSecond / ((eventTypes.length * 5) / 20)).closeTo(0.975, 0.025);
});

test('limits are listed in the order in which a growing rate reaches them', () => {
  const limits = limitsOf(facts, assumed);
  const rates = limits.map(({ reachedAt }) => reachedAt);
  expect(rates).toEqual(rates.toSorted((one, other) => one - other));
  // Argyle's API with 50 requests per second: four of five events fetch a document. Then the throttle of the template.
  expect(rates.slice(0, 2)).toEqual([62.5, facts.requestsPerSecond]);
});

test('an hour of outage loses nothing, and a burst beyond the quotas loses webhooks', () => {
  const rare = simulateOutage(1, assumed.failFastMs, facts, assumed);
  expect(rare).toMatchObject({ dead: 0, caughtUpMinutes: 0, completeMinutes: 53.5 });
  const frequent = simulateOutage(10_000, assumed.failFastMs, facts, assumed);
  expect(frequent).toMatchObject({ dead: 0, maxInFlight: 120_000, caughtUpMinutes: 10.5, completeMinutes: 11.5 });
  // 1,000 executions without the 50 of each worker, twice.
  const lost = 2_000 - 2 * (1_000 - 50 * eventTypes.length);
  expect(simulateBurst(evenly(2_000, 0), facts, assumed)).toMatchObject({ accepted: 2_000 - lost, lost });
});

function billOf(rate: number, resources: readonly Resource[]): Bill {
  const ofType = (type: string) => resources.filter((resource) => resource.type === type);
  return billAt(rate, readStackFacts({ ...production, resources, ofType }), assumed);
}

function lineOf({ lines }: Bill, name: string) {
  const [line, ...others] = lines.filter((candidate) => candidate.name === name);
  if (!line || others.length > 0) throw new Error(`The bill has not exactly one line ${name}.`);
  return line;
}

function resourcesOf(assembly: AssemblyName): readonly Resource[] {
  return readTemplate(inject('assemblies')[assembly]).resources;
}

function withProperties(type: string, properties: Properties): readonly Resource[] {
  const change = (resource: Resource) => ({ ...resource, properties: { ...resource.properties, ...properties } });
  return production.resources.map((resource) => (resource.type === type ? change(resource) : resource));
}
