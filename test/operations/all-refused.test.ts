import { expect, inject, test } from 'vitest';
import { ingestMetrics, ingestService } from '../../functions/domain/metric-names.ts';
import { readTemplate } from '../../tools/local/template.ts';
import { readAlarm, type Sample, stateOf } from '../support/alarm-rules.ts';

const nowMs = 1_800_000_000_000;
const hourMs = 3_600_000;
const alarm = readAlarm(readTemplate(inject('assemblies').production), 'all-refused');
const { accepted, quarantined, bad_signature, too_large, unavailable } = ingestMetrics;

test('one refused webhook a day fires the alarm, and keeps it firing', () => {
  const samples = everyHours(24, bad_signature);
  for (let hour = 1; hour <= 72; hour += 1) expect(stateAt(samples, hour)).toBe('ALARM');
});

test('a wrong secret at 11:00 fires the alarm 24 hours after the last accepted webhook, and no earlier', () => {
  const samples = [...everyHours(1, accepted, 11), sample(bad_signature, 11.5), sample(bad_signature, 34.5)];
  expect(stateAt(samples, 33.9)).toBe('OK');
  expect(stateAt(samples, 35)).toBe('ALARM');
});

test.each([accepted, quarantined, too_large])(
  'one webhook with a valid signature a day (%s) keeps the alarm in OK, regardless of refusals and of where the period begins',
  (metric) => {
    const samples = [...everyHours(24, metric), ...everyHours(1, bad_signature)];
    for (let minute = 24 * 60; minute < 48 * 60; minute += 1) expect(stateAt(samples, minute / 60)).toBe('OK');
  },
);

test('the alarm stays in OK without refusals, also if nothing is accepted', () => {
  expect(stateAt([], 48)).toBe('OK');
  expect(stateAt([...everyHours(1, accepted), ...everyHours(1, unavailable)], 48)).toBe('OK');
  expect(stateAt(everyHours(1, unavailable), 48)).toBe('OK');
});

test('the alarm ends with the first accepted webhook, or a day after the last refusal', () => {
  expect(stateAt([sample(bad_signature, 10), sample(accepted, 12)], 11)).toBe('ALARM');
  expect(stateAt([sample(bad_signature, 10), sample(accepted, 12)], 12.1)).toBe('OK');
  expect(stateAt([sample(bad_signature, 10)], 34.1)).toBe('OK');
});

function stateAt(samples: readonly Sample[], hours: number): string {
  return stateOf(alarm, samples, nowMs + hours * hourMs);
}

function everyHours(hours: number, metricName: string, until = 72): readonly Sample[] {
  return Array.from({ length: Math.floor(until / hours) + 1 }, (_, index) => sample(metricName, index * hours));
}

function sample(metricName: string, hours: number): Sample {
  const [{ namespace } = { namespace: '' }] = alarm.metrics;
  const dimensions = { service: ingestService };
  return { namespace, metricName, dimensions, value: 1, timeMs: nowMs + hours * hourMs };
}
