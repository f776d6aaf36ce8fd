import { expect, inject, test } from 'vitest';
import { eventTypes } from '../../functions/domain/events.ts';
import { changeMetrics, changesService, workerMetrics } from '../../functions/domain/metric-names.ts';
import { readTemplate } from '../../tools/local/template.ts';
import { readAlarm, type Sample, stateOf } from '../support/alarm-rules.ts';

const nowMs = 1_800_000_000_000;
const minuteMs = 60_000;
const alarm = readAlarm(readTemplate(inject('assemblies').connected), 'nothing-published');
const [event = ''] = eventTypes;
const { applied } = workerMetrics;
const { published, invisible } = changeMetrics;

test.each(eventTypes)('changes by %s in both halves of an hour without publishing fire the alarm', (worker) => {
  expect(stateOf(alarm, [sample(applied, 59, worker), sample(applied, 1, worker)], nowMs)).toBe('ALARM');
});

test.each([published, invisible])(
  'one change that the pipe processed within the hour (%s) keeps the alarm in OK',
  (metric) => {
    const changed = [sample(applied, 59), sample(applied, 31), sample(applied, 29), sample(applied, 1)];
    for (const ageMinutes of [55, 5])
      expect(stateOf(alarm, [...changed, sample(metric, ageMinutes, changesService)], nowMs)).toBe('OK');
  },
);

test('the alarm stays in OK while no record changes, regardless of other metrics of the workers', () => {
  expect(stateOf(alarm, [], nowMs)).toBe('OK');
  const others = Object.values(workerMetrics).filter((metric) => metric !== applied);
  const unchanged = others.flatMap((metric) => [sample(metric, 45), sample(metric, 15)]);
  expect(stateOf(alarm, unchanged, nowMs)).toBe('OK');
});

test('a change that is published a moment later never fires the alarm, regardless of where the periods begin', () => {
  const samples = [sample(applied, 30.01), sample(published, 29.99, changesService)];
  for (let second = -1_800; second <= 3_600; second += 1)
    expect(stateOf(alarm, samples, nowMs + second * 1_000)).toBe('OK');
});

function sample(metricName: string, ageMinutes: number, service = event): Sample {
  const [{ namespace } = { namespace: '' }] = alarm.metrics;
  return { namespace, metricName, dimensions: { service }, value: 1, timeMs: nowMs - ageMinutes * minuteMs };
}
