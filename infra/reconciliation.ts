import { Duration, type RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { Effect, Grant, Policy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { RecursiveLoop } from 'aws-cdk-lib/aws-lambda';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import { environment, eventQueueUrl } from '../functions/aws/environment.ts';
import { reconciliationMetrics, reconciliationService } from '../functions/domain/metric-names.ts';
import { type ArgyleAccount, argyleRow } from './argyle-account.ts';
import { customMetric, sumOf } from './custom-metric.ts';
import type { EventPipeline } from './event-pipeline.ts';
import type { Monitoring } from './monitoring.ts';
import { UploadsFunction } from './uploads-function.ts';

/** What reconciliation is made from. */
export type ReconciliationProps = {
  readonly argyle: ArgyleAccount;
  readonly table: Table;
  readonly pipelines: readonly EventPipeline[];
  readonly removalPolicy: RemovalPolicy;
  readonly monitoring: Monitoring;
};

/** Compares the records with Argyle's list on a schedule, and puts what is missing on the events' queues. */
export class Reconciliation extends Construct {
  readonly reconcile: UploadsFunction;

  constructor(scope: Construct, id: string, props: ReconciliationProps) {
    super(scope, id);
    const { argyle, table, pipelines, monitoring } = props;
    this.reconcile = new UploadsFunction(this, 'Function', {
      entry: 'reconciliation',
      description: "Compares the upload records with Argyle's list.",
      service: reconciliationService,
      // Lambda's longest. A run that needs more goes on in another invocation.
      timeout: Duration.minutes(15),
      // A large run invokes itself more often than the 16 times after which Lambda would take that for a mistake. It cannot
      // go round in circles: a part goes on only when it has come further.
      recursiveLoop: RecursiveLoop.ALLOW,
      environment: {
        ...argyle.environment,
        // Pages of the list are garbage as soon as they are read. V8 would let it grow by over 200 MB before it looks
        // (measured by `npm run proof -- scale`); so it looks more often, and grows by half as much.
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
  }
}

function watchReconciliation(scope: Construct, monitoring: Monitoring, { lambda }: UploadsFunction): void {
  const row = argyleRow;
  // It runs once a day: a period without data is one in which it did not run.
  const whenMissing = TreatMissingData.NOT_BREACHING;
  const printed = (name: string) => customMetric(scope, reconciliationService, name);
  const { missing, behind, gone, tombstonesListed, held } = reconciliationMetrics;
  monitoring.graph(row, 'Reconciliation: drift', { left: [missing, behind, gone, tombstonesListed].map(printed) });
  monitoring.watch(scope, 'RemovalsHeld', {
    row,
    metric: printed(held),
    threshold: 1,
    failureImpact:
      'Argyle does not list so many known documents that none was removed: wrong API keys, or deletions to confirm.',
    whenMissing,
  });
  monitoring.watch(scope, 'ReconciliationDrift', {
    row,
    metric: sumOf([printed(missing), printed(behind)], 'missing and behind', Duration.hours(1)),
    // A few are in flight whenever it runs; so many were lost on the way to us.
    threshold: 20,
    failureImpact: 'Webhooks did not arrive: the records were put right by asking Argyle, up to a day late.',
    whenMissing,
  });
  monitoring.watch(scope, 'ReconciliationFailed', {
    row,
    metric: lambda.metricErrors({ period: Duration.minutes(5), statistic: Stats.SUM }),
    threshold: 1,
    failureImpact:
      "The records were not compared with Argyle's list: an event that Argyle could not deliver stays unknown.",
    whenMissing,
  });
}

function grantAll({ lambda }: UploadsFunction, { argyle, table, pipelines }: ReconciliationProps): void {
  argyle.grantRead(lambda);
  // Not `table.grant`: that would open the indexes as well.
  const grant = (actions: string[], arn: string) =>
    Grant.addToPrincipal({ grantee: lambda, actions, resourceArns: [arn] });
  grant(['dynamodb:BatchGetItem', 'dynamodb:Scan'], table.tableArn);
  grant(['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'], argyle.state.tableArn);
  for (const { queue } of pipelines) queue.grant(lambda, 'sqs:SendMessage');
}

function addSchedule(scope: Construct, { lambda }: UploadsFunction, hours: number): void {
  const mayInvoke = (id: string, role: Role) =>
    // A policy of its own: in the function's role it would need the function, which needs its role.
    new Policy(scope, id, {
      roles: [role],
      statements: [
        new PolicyStatement({
          effect: Effect.ALLOW,
          actions: ['lambda:InvokeFunction'],
          resources: [lambda.functionArn],
        }),
      ],
    });
  const scheduler = new Role(scope, 'SchedulerRole', {
    assumedBy: new ServicePrincipal('scheduler.amazonaws.com').withConditions({
      StringEquals: { 'aws:SourceAccount': Stack.of(scope).account },
    }),
  });
  mayInvoke('SchedulerInvokes', scheduler);
  mayInvoke('InvokesItself', lambda.role as Role);
  // Not the construct of CDK's own, which would let the schedule invoke every version of the function as well.
  new CfnSchedule(scope, 'Schedule', {
    description: "Starts a comparison of the upload records with Argyle's list.",
    scheduleExpression: `rate(${hours} hours)`,
    flexibleTimeWindow: { mode: 'OFF' },
    target: { arn: lambda.functionArn, roleArn: scheduler.roleArn, input: '{}' },
  });
}
