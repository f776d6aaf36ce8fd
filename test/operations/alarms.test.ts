import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { eventTypes, isEventType } from '../../functions/domain/events.ts';
import { readTemplate } from '../../tools/local/template.ts';
import { type AlarmRule, readAlarms, type Sample, stateOf } from '../support/alarm-rules.ts';
import { createMetricSamples, type MetricSamples, printedSamples } from '../support/builders/metric-samples.ts';
import type { AwsCall, Disturbance } from '../support/emulators/aws-proxy.ts';
import { type ConnectedPipeline, startConnectedPipeline } from '../support/emulators/local-pipeline.ts';
import { newUpload, webhookBody } from '../support/fakes/argyle-sender.ts';
import { alarmTriggers } from './alarm-triggers.ts';
import type { TriggerContext } from './trigger-context.ts';

const alarmNames = readTemplate(inject('assemblies').connected)
  .ofType('AWS::CloudWatch::Alarm')
  .map(({ properties }): string => properties.AlarmName);

let pipeline: ConnectedPipeline;
let metrics: MetricSamples;
let alarms: readonly AlarmRule[];
let decide: (call: AwsCall) => Disturbance | undefined = () => undefined;

beforeAll(async () => {
  pipeline = await startConnectedPipeline({ disturb: (call) => decide(call) });
  metrics = createMetricSamples(pipeline);
  alarms = readAlarms(pipeline);
});
afterAll(() => pipeline.stop());

test('no alarm fires in normal operation', async () => {
  for (const event of eventTypes) {
    const ids = newUpload();
    for (let count = 0; count < 2; count += 1) await metrics.post(webhookBody(event, ids));
  }
  await pipeline.drained();
  const nowMs = Date.now();

  expect(alarms.length).toBeGreaterThan(eventTypes.length * 3);
  expect(firing(await metrics.since(0, nowMs), nowMs)).toEqual([]);
});

test.each(alarmNames)('%s fires on its failure, and no other alarm of its runbook section does', async (name) => {
  const alarm = alarms.find((candidate) => candidate.name === name) as AlarmRule;
  const trigger = alarmTriggers[alarm.section];
  if (!trigger) throw new Error(`No trigger makes ${name} fire: add '${alarm.section}' to alarm-triggers.ts.`);
  const row = name.split('/').at(-2) ?? '';
  const event = isEventType(row) ? row : (eventTypes[0] ?? '');
  const disturb: TriggerContext['disturb'] = (next = () => undefined) => {
    decide = next;
  };
  // Ends the disturbance of an earlier test that failed before it could end it.
  disturb();
  const startMs = Date.now();

  const { laterMs = 0, cleanUp } = await trigger({ pipeline, metrics, disturb, alarm, event });
  const nowMs = Date.now() + laterMs;
  const fired = firing(await metrics.since(startMs, nowMs), nowMs);
  await cleanUp?.();

  const ofItsSection = alarms.filter(({ section }) => section === alarm.section).map((other) => other.name);
  expect(fired.filter((other) => ofItsSection.includes(other))).toEqual([name]);
});

test('the functions print every custom metric that an alarm or the dashboard uses', () => {
  const printed = new Set(pipeline.logLines.flatMap(printedSamples).map(keyOf));
  const shown = shownMetrics().map(keyOf);
  expect(shown.length).toBeGreaterThan(eventTypes.length * 4);
  expect(shown.filter((key) => !printed.has(key))).toEqual([]);
});

function firing(samples: readonly Sample[], nowMs: number): string[] {
  return alarms.filter((alarm) => stateOf(alarm, samples, nowMs) === 'ALARM').map(({ name }) => name);
}

type MetricName = Pick<Sample, 'namespace' | 'metricName' | 'dimensions'>;

function keyOf({ namespace, metricName, dimensions }: MetricName): string {
  return [namespace, metricName, ...Object.entries(dimensions).flat()].join(' ');
}

function shownMetrics(): MetricName[] {
  const { stackName } = pipeline.template;
  const parts = pipeline.template.ofType('AWS::CloudWatch::Dashboard').flatMap(({ properties }) => {
    const text = properties.DashboardBody['Fn::Join'][1].map((part: unknown) => (typeof part === 'string' ? part : ''));
    return JSON.parse(text.join('')).widgets.flatMap(({ properties: { metrics: lines = [] } }) => lines);
  });
  const onDashboard = parts
    .filter(([namespace]) => namespace === stackName)
    .map(([namespace, metricName, name, value]) => ({ namespace, metricName, dimensions: { [name]: value } }));
  return [
    ...onDashboard,
    ...alarms.flatMap((alarm) => alarm.metrics).filter(({ namespace }) => namespace === stackName),
  ];
}
