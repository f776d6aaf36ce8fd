import { describe, expect, inject, test } from 'vitest';
import { eventTypes } from '../../../functions/domain/events.ts';
import { alternativesTo, whatIfs } from '../../../tools/capacity/alternatives.ts';
import { assume } from '../../../tools/capacity/assumptions.ts';
import { billableTypes, refuseUnpriced } from '../../../tools/capacity/billable-types.ts';
import { type Cost, costAt } from '../../../tools/capacity/cost.ts';
import { costReport } from '../../../tools/capacity/cost-report.ts';
import type { Measured } from '../../../tools/capacity/measure.ts';
import { readStackFacts } from '../../../tools/capacity/stack-facts.ts';
import { storageOf } from '../../../tools/capacity/storage.ts';
import { type Properties, readTemplate, type Template } from '../../../tools/local/template.ts';
import type { AssemblyName } from '../../support/assemblies.ts';

const measured: Measured = {
  ingestBytes: 400,
  workerBytes: { first: 500, further: 50 },
  metrics: ['one', 'two', 'three'],
  recordBytes: 300,
};
const cost = (rate: number, template = templateOf('production'), assumed = assume()) =>
  costAt(rate, readStackFacts(template), measured, assumed);

describe('a month at 100 webhooks a second, by hand', () => {
  // 730 hours.
  const webhooks = 100 * 730 * 3_600;
  const millions = webhooks / 1_000_000;
  const gigabyte = 1_024 ** 3;

  test.each([
    ['API: requests', millions * 1],
    ['Lambda: requests of ingest', millions * 0.2],
    ['SQS: sends', millions * 0.4],
    ['DynamoDB: writes', millions * 0.625],
    // Two entries for one webhook in three.
    ['DynamoDB: entries of 2 indexes, once a document', millions * (2 / 3) * 0.625],
    ['SQS: deletes, a batch each', millions * 0.4],
    ['Lambda: requests of the workers', millions * 0.2],
    // 400 bytes and the 26 of CloudWatch.
    ['Logs: the line of ingest', ((webhooks * 426) / gigabyte) * 0.5],
    ['Logs: the lines of the workers', ((webhooks * 526) / gigabyte) * 0.5],
    ['CloudWatch: metrics, by name and dimensions', 0.9],
    ['CloudWatch: dashboards', 3],
    ['Secrets Manager: secrets', 0.4],
  ])('%s', (name, dollars) => {
    expect(lineOf(cost(100), name).dollars).toBeCloseTo(dollars, 3);
  });

  test('half a gigabyte for 12 ms, and the cold starts of five environments every two hours', () => {
    const seconds = webhooks * 0.012 + 5 * 365 * 0.25;
    expect(lineOf(cost(100), 'Lambda: time of ingest').dollars).toBeCloseTo(seconds * 0.5 * 0.0000133334, 3);
  });

  test('three reads of the secret a minute in each environment', () => {
    // An environment reads again with the first request after 60 s: 5 of them share 100 requests a second.
    const reads = (5 * 3 * 730 * 3_600) / (60 + 5 / 100);
    expect(lineOf(cost(100), 'Secrets Manager: reads of the webhook secret').units).toBeCloseTo(reads, 3);
  });

  test('an alarm on an expression counts each metric of it', () => {
    const alarms = templateOf('production').ofType('AWS::CloudWatch::Alarm');
    const onExpressions = alarms.filter(({ properties }) => properties.Metrics).length;
    expect(lineOf(cost(100), 'CloudWatch: metrics of alarms').units).toBe(alarms.length + onExpressions);
  });
});

test('a floor is what its name says, and the goals compare with it', () => {
  const [off, deployed] = cost(100).goals;
  expect(off?.floors.map(({ dollars }) => dollars)[0]).toBeCloseTo(1 + 0.2 + 0.4 + 0.625, 6);
  for (const goal of [off, deployed])
    for (const { dollars, times } of goal?.floors ?? []) expect(times * dollars).toBeCloseTo(goal?.dollars ?? 0, 6);
  expect(deployed?.dollars).toBeGreaterThan(off?.dollars ?? 0);
});

test('what others do costs what the price list says', () => {
  const differences = Object.fromEntries(alternativesTo(cost(100)).map(({ name, difference }) => [name, difference]));
  expect(differences['REST API instead of HTTP API']).toBeCloseTo(2.5, 6);
  expect(differences['SNS topic before the queues']).toBeCloseTo(0.1, 6);
  expect(differences['idempotency table, two writes a webhook']).toBeCloseTo(1.25, 6);
  expect(whatIfs(cost(100)).every(({ dollars }) => dollars < total(cost(100)))).toBe(true);
});

test('what stays in the table is billed by the month', () => {
  // For each of a third of a million documents a record of 300 bytes, and two entries of two ids of 36 and their names.
  const gigabytes = (bytes: number) => (bytes * 1_000_000) / 3 / 1_024 ** 3;
  const [records, entries] = [gigabytes(300 + 100), 2 * gigabytes(36 + 10 + 36 + 7 + 100)];
  expect(storageOf(cost(1)).gigabytes).toBeCloseTo(records + entries, 9);
  // Point-in-time recovery is of the table.
  expect(storageOf(cost(1)).dollarsAMonth).toBeCloseTo((records + entries) * 0.25 + records * 0.2, 9);
});

describe('every resource is priced', () => {
  test.each(['sandbox', 'production', 'connected'] as const)('of the %s stack', (assembly) => {
    expect(() => refuseUnpriced(templateOf(assembly))).not.toThrow();
    expect(costAt(1, readStackFacts(templateOf(assembly)), measured, assume()).lines).not.toEqual([]);
  });

  test('or the tool says which one is not', () => {
    const strange = withResource(templateOf('sandbox'), 'AWS::Kinesis::Stream', {});
    expect(() => cost(1, strange)).toThrow(
      /^Nobody knows what AWS::Kinesis::Stream \(Added\) of argyle-uploads-sandbox costs: add it to figures\/billable-types\.ts/,
    );
  });

  test('or free for a reason', () => {
    for (const billing of Object.values(billableTypes)) expect(Object.values(billing).join('')).not.toBe('');
  });
});

describe('what is added to the stack', () => {
  const changes = 730 * 3_600;

  test('a pipe is billed by its requests, its enrichment and the events that it puts', () => {
    const ingest = templateOf('sandbox').ofType('AWS::Lambda::Function')[0]?.logicalId ?? '';
    const bus = withResource(templateOf('sandbox'), 'AWS::Events::EventBus', {}, 'Bus');
    const piped = withResource(bus, 'AWS::Pipes::Pipe', {
      Enrichment: { 'Fn::GetAtt': [ingest, 'Arn'] },
      Target: { 'Fn::GetAtt': ['Bus', 'Arn'] },
    });
    const { lines } = cost(1, piped);
    const units = (name: string) => lines.find((line) => line.name === name)?.units;
    expect(units('Pipes: requests of Added')).toBe(changes);
    expect(units(`Lambda: requests of ${ingest}`)).toBe(changes);
    expect(units('EventBridge: events on Bus')).toBe(changes);
  });

  test('a metric filter is a metric, a key is a key, tracing is a share of the webhooks', () => {
    const filtered = withResource(templateOf('sandbox'), 'AWS::Logs::MetricFilter', {});
    expect(lineOf(cost(1, filtered), 'CloudWatch: metrics, by name and dimensions').units).toBe(4);
    expect(lineOf(cost(1, withResource(filtered, 'AWS::KMS::Key', {}, 'Key')), 'KMS: keys').dollars).toBe(1);
    const traced = changed('AWS::Lambda::Function', { TracingConfig: { Mode: 'Active' } });
    expect(lineOf(cost(1, traced), 'X-Ray: traces').dollars).toBeCloseTo((changes * 0.05 * 5) / 1_000_000, 6);
  });

  test('JSON logs at level WARN are without the lines of Lambda', () => {
    const quiet = changed('AWS::Lambda::Function', { LoggingConfig: { LogFormat: 'JSON', SystemLogLevel: 'WARN' } });
    expect(
      cost(1, quiet)
        .lines.map(({ name }) => name)
        .filter((name) => name.includes('REPORT')),
    ).toEqual([]);
    expect(
      cost(1)
        .lines.map(({ name }) => name)
        .filter((name) => name.includes('REPORT')),
    ).toHaveLength(2);
  });

  test('credentials for Argyle bring documents, the key and scheduled runs', () => {
    const names = cost(1, templateOf('connected')).lines.map(({ name }) => name);
    expect(names).toContain("DynamoDB: writes of documents from Argyle's API");
    expect(names).toContain('Scheduler: runs of reconciliation');
  });
});

test('a batching window fills the batches, and makes the month cheaper', () => {
  const windowed = changed('AWS::Lambda::EventSourceMapping', { MaximumBatchingWindowInSeconds: 5 });
  expect(cost(100).load.batchFill).toBeLessThan(1.1);
  expect(cost(100, windowed).load.batchFill).toBeGreaterThan(9);
  expect(total(cost(100, windowed))).toBeLessThan(total(cost(100)));
});

test('an idle stack is polled by five pollers for each event', () => {
  const { emptyReceivesPerSecond } = cost(0.01).load;
  expect(emptyReceivesPerSecond).toBeGreaterThan((0.95 * (eventTypes.length * 5)) / 20);
  expect(emptyReceivesPerSecond).toBeLessThanOrEqual((eventTypes.length * 5) / 20);
});

test('the report has each line, the goals beside what is reached, and where prices come from', () => {
  const priced = cost(100);
  const report = costReport(priced);
  for (const { name } of priced.lines) expect(report).toContain(name);
  expect(report).toMatch(/as deployed .* 1\.10 {2}0\.\d{3}/);
  expect(report).toMatch(/httpApiRequest .*docs\.aws\.amazon\.com.*\(first party\)/);
  expect(report).toMatch(/alarmMetric .*\(unverified\)/);
});

function total({ lines }: Cost): number {
  return lines.reduce((sum, { dollars }) => sum + dollars, 0);
}

function lineOf({ lines }: Cost, name: string) {
  const [line, ...others] = lines.filter((candidate) => candidate.name === name);
  if (!line || others.length > 0) throw new Error(`There is not one line ${name}.`);
  return line;
}

function templateOf(assembly: AssemblyName): Template {
  return readTemplate(inject('assemblies')[assembly]);
}

function withResource(template: Template, type: string, properties: Properties, logicalId = 'Added'): Template {
  return from(template, [...template.resources, { logicalId, type, properties }]);
}

function changed(type: string, properties: Properties): Template {
  const template = templateOf('production');
  return from(
    template,
    template.resources.map((one) =>
      one.type === type ? { ...one, properties: { ...one.properties, ...properties } } : one,
    ),
  );
}

function from(template: Template, resources: Template['resources']): Template {
  return { ...template, resources, ofType: (type) => resources.filter((resource) => resource.type === type) };
}
