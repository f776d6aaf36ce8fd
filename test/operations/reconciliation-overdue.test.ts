import { expect, inject, test } from 'vitest';
import { reconciliationMetrics, reconciliationService } from '../../functions/domain/metric-names.ts';
import { readTemplate } from '../../tools/local/template.ts';
import { readAlarm, type Sample, stateOf } from '../support/alarm-rules.ts';

const nowMs = 1_800_000_000_000;
const hourMs = 3_600_000;
// Comparisons start every 24 hours.
const alarm = readAlarm(readTemplate(inject('assemblies').connected), 'reconciliation-overdue');
const queueMetric = alarm.metrics.find(({ namespace }) => namespace === 'AWS/SQS');
const { completed, requests } = reconciliationMetrics;

test('a schedule that never starts a run fires the alarm in the 48th hour after the first deployment, and no earlier', () => {
  expect(statesOf([...deployedFor(72)], [1, 24, 46.9, 48, 72])).toEqual(['OK', 'OK', 'OK', 'ALARM', 'ALARM']);
});

test('a schedule that is deleted or disabled after a run fires the alarm in the 48th hour after it', () => {
  const samples = [...deployedFor(200), run(100)];
  expect(statesOf(samples, [99, 101, 146.9, 148.1])).toEqual(['ALARM', 'OK', 'OK', 'ALARM']);
});

test('runs that start and never complete fire the alarm', () => {
  const unfinished = [0, 24, 48, 72].flatMap((hour) => [run(hour, 0), { ...run(hour), metricName: requests }]);
  expect(statesOf([...deployedFor(96), ...unfinished], [96])).toEqual(['ALARM']);
});

test('daily runs keep the alarm in OK, regardless of how long each takes and of where the periods begin', () => {
  // The first run takes no time, the second 10 hours, and so on.
  const samples = [...deployedFor(240), ...[0, 34, 49, 80, 96, 129, 144, 170, 192, 230].map((hour) => run(hour))];
  for (let minute = 0; minute < 240 * 60; minute += 7) expect(statesOf(samples, [minute / 60])).toEqual(['OK']);
});

test('one completed run ends the alarm', () => {
  expect(statesOf([...deployedFor(120), run(100)], [99, 100.1])).toEqual(['ALARM', 'OK']);
});

function statesOf(samples: readonly Sample[], hours: readonly number[]): readonly string[] {
  return hours.map((hour) => stateOf(alarm, samples, nowMs + hour * hourMs));
}

function run(hour: number, value = 1): Sample {
  const namespace = alarm.metrics.find((metric) => metric !== queueMetric)?.namespace ?? '';
  const dimensions = { service: reconciliationService };
  return { namespace, metricName: completed, dimensions, value, timeMs: nowMs + hour * hourMs };
}

// What SQS reports about an empty queue that Lambda polls, from the first deployment on.
function deployedFor(hours: number): readonly Sample[] {
  if (!queueMetric) throw new Error('The alarm has no metric of a queue.');
  const { namespace, metricName, dimensions } = queueMetric;
  return Array.from({ length: hours * 4 }, (_, quarter) => {
    return { namespace, metricName, dimensions, value: 0, timeMs: nowMs + (quarter / 4) * hourMs };
  });
}
