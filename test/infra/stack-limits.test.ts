import { describe, expect, test } from 'vitest';
import { environment } from '../../functions/aws/environment.ts';
import { eventTypes } from '../../functions/domain/events.ts';
import { batchBudgetMs } from '../../functions/worker/handler.ts';
import { readStack, stages, variablesOf } from '../support/synthesized-stack.ts';

// The numbers of the template that a promise or the cost depends on. A number that is ten times as large or as small fails
// here, and so does an alarm or a function without a line.
const eventAlarms = {
  'dead-letters': '>= 1 in 1 × 60 s',
  'oldest-message': '>= 900 in 1 × 60 s',
  'worker-errors': '>= 5 in 1 × 300 s',
  'repeated-failures': '>= 1 in 4 of 12 × 300 s',
  throttled: '>= 10 in 1 × 300 s',
};
const alarmLimits: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    eventTypes.flatMap((event) =>
      Object.entries(eventAlarms).map(([section, limit]) => [`${event}/${section}`, limit]),
    ),
  ),
  'ingest/server-errors': '>= 2 in 1 × 300 s',
  'ingest/secret-unreadable': '>= 1 in 1 × 60 s',
  'ingest/refusals': '>= 10 in 1 × 900 s',
  'ingest/all-refused': '>= 1 in 1 × 86400 s',
  'ingest/quarantined': '>= 1 in 1 × 60 s',
  'ingest/too-large': '>= 1 in 1 × 60 s',
  'ingest/near-request-limit': '>= 48000 in 1 × 60 s',
  'ingest/throttled': '>= 10 in 1 × 300 s',
  'ingest/silence': '< 1 in 48 × 3600 s',
  'records/table-throttled': '>= 10 in 1 × 300 s',
  'argyle/documents-not-fetched': '>= 4 in 1 × 900 s',
  'argyle/rotation-failed': '>= 1 in 1 × 300 s',
  'argyle/removals-held': '>= 1 in 1 × 60 s',
  'argyle/records-removed': '>= 1 in 1 × 60 s',
  'argyle/tombstones-listed': '>= 1 in 1 × 60 s',
  'argyle/reconciliation-drift': '>= 20 in 1 × 3600 s',
  'argyle/reconciliation-overdue': '>= 1 in 48 × 3600 s',
  'argyle/reconciliation-failed': '>= 1 in 1 × 300 s',
  'changes/changes-not-published': '>= 1 in 1 × 60 s',
  'changes/nothing-published': '>= 1 in 2 × 1800 s',
};

// Seconds. The service is the one that the function prints in its metrics.
const timeouts: Readonly<Record<string, number>> = {
  ...Object.fromEntries(eventTypes.map((event) => [event, 30])),
  ingest: 8,
  changes: 10,
  subscription: 150,
  rotation: 900,
  reconciliation: 900,
};

const connected = readStack('connected');

test.each(connected.all('AWS::CloudWatch::Alarm').map(({ Properties }) => Properties))(
  'the limit of the alarm $AlarmName',
  (alarm) => {
    const name = alarm.AlarmName.slice(`${connected.name}/`.length);
    expect({ [name]: limitOf(alarm) }).toEqual({ [name]: alarmLimits[name] });
  },
);

test('every listed alarm exists', () => {
  const names = connected.all('AWS::CloudWatch::Alarm').map(({ Properties }) => Properties.AlarmName);
  expect(names.sort()).toEqual(
    Object.keys(alarmLimits)
      .map((name) => `${connected.name}/${name}`)
      .sort(),
  );
});

test('the time-out of each function', () => {
  const found = connected
    .all('AWS::Lambda::Function')
    .map((lambda) => [String(variablesOf(lambda)[environment.serviceName]), lambda.Properties.Timeout]);
  expect(Object.fromEntries(found)).toEqual(timeouts);
});

test('every function has 512 MB of memory, and none has a concurrency of its own that could starve it', () => {
  for (const { Properties } of connected.all('AWS::Lambda::Function'))
    expect([Properties.MemorySize, Properties.ReservedConcurrentExecutions]).toEqual([512, undefined]);
});

describe.each(stages)('in %s', (stage) => {
  const stack = readStack(stage);

  test.each(eventTypes)('%s: a received message is hidden for exactly six time-outs of its worker', (event) => {
    expect(stack.queue(event).Properties.VisibilityTimeout).toBe(6 * stack.worker(event).Properties.Timeout);
  });

  test.each(eventTypes)('%s: a worker has 10 s left to report a batch after its budget', (event) => {
    expect(stack.worker(event).Properties.Timeout * 1_000 - batchBudgetMs).toBe(10_000);
  });

  test('the gateway accepts 1,000 requests a second and bursts of 2,000', () => {
    expect(stack.one('AWS::ApiGatewayV2::Stage').Properties.DefaultRouteSettings).toMatchObject({
      ThrottlingRateLimit: 1_000,
      ThrottlingBurstLimit: 2_000,
    });
  });

  test('the generated secret has 64 letters and digits', () => {
    expect(stack.secret().Properties.GenerateSecretString).toMatchObject({
      PasswordLength: 64,
      ExcludePunctuation: true,
    });
  });
});

describe('with credentials for Argyle', () => {
  test('the secret rotates every 90 days, and reconciliation runs every 24 hours', () => {
    const { RotationRules } = connected.one('AWS::SecretsManager::RotationSchedule').Properties;
    expect(RotationRules).toEqual({ AutomaticallyAfterDays: 90 });
    expect(connected.one('AWS::Scheduler::Schedule').Properties.ScheduleExpression).toBe('rate(24 hours)');
  });

  test('CloudFormation waits ten minutes for the subscription', () => {
    expect(connected.one('Custom::ArgyleSubscription').Properties.ServiceTimeout).toBe('600');
  });
});

test('production shifts 10 % of the traffic for ten minutes first', () => {
  const groups = readStack('production').all('AWS::CodeDeploy::DeploymentGroup');
  expect(groups.length).toBeGreaterThan(0);
  for (const { Properties } of groups)
    expect(Properties.DeploymentConfigName).toBe('CodeDeployDefault.LambdaCanary10Percent10Minutes');
});

// Metrics of an expression have periods of their own, which CloudWatch requires to be equal.
function limitOf(alarm: Readonly<Record<string, unknown>>): string {
  const { ComparisonOperator, Threshold, EvaluationPeriods, DatapointsToAlarm, Period, Metrics = [] } = alarm;
  const operators: Readonly<Record<string, string>> = {
    GreaterThanOrEqualToThreshold: '>=',
    LessThanThreshold: '<',
  };
  const periods = (Metrics as { MetricStat?: { Period: number } }[]).flatMap(
    ({ MetricStat }) => MetricStat?.Period ?? [],
  );
  const [period, ...others] = new Set(Period === undefined ? periods : [Period]);
  expect(others).toEqual([]);
  return `${operators[String(ComparisonOperator)]} ${Threshold} in ${DatapointsToAlarm ? `${DatapointsToAlarm} of ` : ''}${EvaluationPeriods} × ${period} s`;
}
