import { Duration, type RemovalPolicy, Stack } from 'aws-cdk-lib';
import { MathExpression, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { Policy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { RecursiveLoop } from 'aws-cdk-lib/aws-lambda';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import { environment, eventQueueUrl } from '../functions/aws/environment.ts';
import { reconciliationMetrics, reconciliationService } from '../functions/domain/metric-names.ts';
import { reconciliationTimeoutMs } from '../functions/domain/reconciliation-times.ts';
import { type ArgyleAccount, argyleRow } from './argyle-account.ts';
import { overdueAfterRuns } from './config.ts';
import { customMetric, sumOf } from './custom-metric.ts';
import type { EventPipeline } from './event-pipeline.ts';
import type { Monitoring } from './monitoring.ts';
import { UploadsFunction } from './uploads-function.ts';

export type ReconciliationProps = {
  readonly argyle: ArgyleAccount;
  readonly table: Table;
  readonly pipelines: readonly EventPipeline[];
  readonly removalPolicy: RemovalPolicy;
  readonly monitoring: Monitoring;
};

/** Compares the records with Argyle's list on a schedule, and sends missing events to the events' queues. */
export class Reconciliation extends Construct {
  readonly reconcile: UploadsFunction;

  constructor(scope: Construct, id: string, props: ReconciliationProps) {
    super(scope, id);
    const { argyle, table, pipelines, monitoring } = props;
    this.reconcile = new UploadsFunction(this, 'Function', {
      entry: 'reconciliation',
      description: "Compares the upload records with Argyle's list.",
      service: reconciliationService,
      // Lambda's maximum. A longer run continues in another invocation.
      timeout: Duration.millis(reconciliationTimeoutMs),
      // A large run invokes itself more than 16 times, and by default Lambda stops such a loop. It cannot loop forever: an
      // invocation starts another one only after it has made progress, a list that leads back to an earlier page ends the run
      // with an error, and so does the maximum of pages, of parts and of days.
      recursiveLoop: RecursiveLoop.ALLOW,
      environment: {
        ...argyle.environment,
        // Pages of the list are garbage as soon as they are read. By default, V8 lets more than 200 MB of garbage accumulate
        // before it collects it (measured by `npm run proof -- scale`). A smaller young generation halves that.
        NODE_OPTIONS: '--max-semi-space-size=4',
        [environment.tableName]: table.tableName,
        [environment.stateTableName]: argyle.state.tableName,
        ...Object.fromEntries(pipelines.map(({ eventType, queue }) => [eventQueueUrl(eventType), queue.queueUrl])),
      },
      removalPolicy: props.removalPolicy,
    });
    grantAll(this.reconcile, props);
    addSchedule(this, this.reconcile, argyle.config.reconciliationHours);
    watchReconciliation(this, monitoring, this.reconcile);
    watchCompletion(this, props);
  }
}

function watchReconciliation(scope: Construct, monitoring: Monitoring, { lambda }: UploadsFunction): void {
  const row = argyleRow;
  const metric = (name: string) => customMetric(scope, reconciliationService, name);
  const { missing, behind, gone, tombstonesListed, held } = reconciliationMetrics;
  monitoring.graph(row, 'Reconciliation: drift', { left: [missing, behind, gone, tombstonesListed].map(metric) });
  monitoring.watch(scope, 'RemovalsHeld', {
    row,
    metric: metric(held),
    threshold: 1,
    failureImpact:
      "Too many known documents are missing from Argyle's list, so none was removed: an operator must find the cause, or confirm.",
  });
  monitoring.watch(scope, 'RecordsRemoved', {
    row,
    metric: metric(gone),
    threshold: 1,
    failureImpact:
      'Reconciliation removed records whose documents Argyle no longer has: their webhooks were lost, or Argyle answers wrongly.',
  });
  monitoring.watch(scope, 'TombstonesListed', {
    row,
    metric: metric(tombstonesListed),
    threshold: 1,
    failureImpact: 'Argyle still lists documents whose records are removed: users of the records miss them.',
  });
  monitoring.watch(scope, 'ReconciliationDrift', {
    row,
    metric: sumOf([metric(missing), metric(behind)], 'missing and behind', Duration.hours(1)),
    // During a run, the events of a few documents are always still in a queue. For this many, events must have been lost.
    threshold: 20,
    failureImpact:
      "Webhooks did not arrive: reconciliation corrected the records from Argyle's list, hours or days late.",
  });
  monitoring.watch(scope, 'ReconciliationFailed', {
    row,
    metric: lambda.metricErrors({ period: Duration.minutes(5), statistic: Stats.SUM }),
    threshold: 1,
    failureImpact:
      "The records were not compared with Argyle's list: events that Argyle failed to deliver stay missing.",
  });
}

function watchCompletion(scope: Construct, { argyle, pipelines, monitoring }: ReconciliationProps): void {
  monitoring.watch(scope, 'ReconciliationOverdue', {
    row: argyleRow,
    metric: reportsWithoutRun(scope, pipelines),
    threshold: 1,
    // Every hour of this time must be without a completed run. The setting's maximum keeps it within CloudWatch's seven days.
    periods: overdueAfterRuns * argyle.config.reconciliationHours,
    failureImpact:
      "No comparison with Argyle's list was completed in time: events that Argyle failed to deliver stay missing.",
  });
}

// An hour without a completed run counts only if SQS reported about a queue, which proves that the stack existed: a new stack has
// no run yet, and an alarm on missing data would fire at once. SQS reports every minute about a queue that is used, and Lambda polls
// each event's queue all the time ("available CloudWatch metrics" in SQS's developer guide, read 2026-11-28).
function reportsWithoutRun(scope: Construct, [pipeline]: readonly EventPipeline[]): MathExpression {
  if (!pipeline) throw new Error('There is no queue.');
  const period = Duration.hours(1);
  const { completed } = reconciliationMetrics;
  const reports = pipeline.queue.metricApproximateNumberOfMessagesVisible({ period, statistic: Stats.SAMPLE_COUNT });
  return new MathExpression({
    expression: 'IF(FILL(completed, 0) == 0, reports, 0)',
    usingMetrics: { completed: customMetric(scope, reconciliationService, completed, { period }), reports },
    label: 'minutes in hours without a completed run',
    period,
  });
}

function grantAll(reconcile: UploadsFunction, { argyle, table, pipelines }: ReconciliationProps): void {
  argyle.grantRead(reconcile);
  reconcile.allow(table.tableArn, 'dynamodb:BatchGetItem', 'dynamodb:Scan');
  reconcile.allow(argyle.state.tableArn, 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem');
  for (const { queue } of pipelines) reconcile.allow(queue.queueArn, 'sqs:SendMessage');
}

function addSchedule(scope: Construct, { lambda }: UploadsFunction, hours: number): void {
  const allowInvoke = (id: string, role: Role) =>
    // A separate policy, because in the role's default policy this statement would create a circular dependency.
    new Policy(scope, id, {
      roles: [role],
      statements: [new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [lambda.functionArn] })],
    });
  const scheduler = new Role(scope, 'SchedulerRole', {
    assumedBy: new ServicePrincipal('scheduler.amazonaws.com').withConditions({
      StringEquals: { 'aws:SourceAccount': Stack.of(scope).account },
    }),
  });
  allowInvoke('SchedulerInvokes', scheduler);
  allowInvoke('InvokesItself', lambda.role as Role);
  // CDK's Schedule construct would also allow the schedule to invoke every version of the function.
  new CfnSchedule(scope, 'Schedule', {
    description: "Starts a comparison of the upload records with Argyle's list.",
    scheduleExpression: `rate(${hours} hours)`,
    flexibleTimeWindow: { mode: 'OFF' },
    target: { arn: lambda.functionArn, roleArn: scheduler.roleArn, input: '{}' },
  });
}
