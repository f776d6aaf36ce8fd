import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { expect, test } from 'vitest';
import { readConfig } from '../../infra/config.ts';
import { UploadsStack } from '../../infra/uploads-stack.ts';
import type { Resource } from '../support/synthesized-stack.ts';

const credentials = { argyleCredentials: 'argyle/api-key' };

test('in production, a subscription is retained when it leaves the template, and deleted when it is replaced', () => {
  const [subscription] = resourcesOf('Custom::ArgyleSubscription', { ...credentials, stage: 'production' });
  expect(subscription).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Delete' });
});

test('in sandbox, a subscription is deleted in both cases', () => {
  const [subscription] = resourcesOf('Custom::ArgyleSubscription', { ...credentials, stage: 'sandbox' });
  expect(subscription).toMatchObject({ DeletionPolicy: 'Delete', UpdateReplacePolicy: 'Delete' });
});

test.each([
  ['12', 24],
  ['24', 48],
  ['84', 168],
])('with reconciliationHours=%s, %d hours without a completed run fire an alarm', (reconciliationHours, periods) => {
  const alarms = resourcesOf('AWS::CloudWatch::Alarm', { ...credentials, reconciliationHours });
  const [alarm] = alarms.filter(({ Properties }) => Properties.AlarmName.endsWith('/argyle/reconciliation-overdue'));
  const { EvaluationPeriods, DatapointsToAlarm, Metrics, TreatMissingData } = alarm?.Properties ?? {};
  // All of them must breach, so a new stack has this time until its first run.
  expect([EvaluationPeriods, DatapointsToAlarm, TreatMissingData]).toEqual([periods, undefined, 'notBreaching']);
  expect(Metrics).toMatchObject([
    { Expression: 'IF(FILL(completed, 0) == 0, reports, 0)' },
    { Id: 'completed', MetricStat: { Metric: { MetricName: 'RunsCompleted' }, Period: 3_600, Stat: 'Sum' } },
    {
      Id: 'reports',
      MetricStat: { Metric: { MetricName: 'ApproximateNumberOfMessagesVisible' }, Period: 3_600, Stat: 'SampleCount' },
    },
  ]);
  // CloudWatch evaluates at most seven days.
  expect(EvaluationPeriods * 3_600).toBeLessThanOrEqual(7 * 86_400);
});

// Without bundling, which takes most of the time of a synthesis and changes only the code of the functions.
function resourcesOf(type: string, context: Readonly<Record<string, string>>): Omit<Resource, 'id'>[] {
  const app = new App({ context: { ...context, 'aws:cdk:bundling-stacks': [] } });
  const stack = new UploadsStack(app, 'uploads', { config: readConfig(app.node) });
  return Object.values(Template.fromStack(stack).findResources(type));
}
