import { CustomResource, Duration, type RemovalPolicy, Stack } from 'aws-cdk-lib';
import { TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { Grant, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnRotationSchedule, type Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { environment } from '../functions/aws/environment.ts';
import { eventTypes } from '../functions/domain/events.ts';
import { rotationMetrics, rotationService } from '../functions/domain/metric-names.ts';
import { subscriptionTimeoutMs } from '../functions/domain/subscription.ts';
import { type ArgyleAccount, argyleRow } from './argyle-account.ts';
import { customMetric } from './custom-metric.ts';
import type { IngestApi } from './ingest-api.ts';
import type { Monitoring } from './monitoring.ts';
import { UploadsFunction } from './uploads-function.ts';

/** What the subscription is made from. */
export type ArgyleSubscriptionProps = {
  readonly argyle: ArgyleAccount;
  /** What receives the webhooks; it is there before the subscription and goes after it. */
  readonly ingest: IngestApi;
  readonly webhookSecret: Secret;
  readonly removalPolicy: RemovalPolicy;
  readonly monitoring: Monitoring;
};

/** The webhook subscription at Argyle as a resource of the stack, and the rotation of the secret that it signs with. */
export class ArgyleSubscription extends Construct {
  constructor(scope: Construct, id: string, props: ArgyleSubscriptionProps) {
    super(scope, id);
    const { argyle, ingest } = props;
    const { apiUrl, credentials, webhookName, rotationDays } = argyle.config;

    const subscriber = this.subscriber(props);
    const subscription = new CustomResource(this, 'Resource', {
      resourceType: 'Custom::ArgyleSubscription',
      serviceToken: subscriber.lambda.functionArn,
      // CloudFormation's own limit is an hour. The function answers within 150 s, a retry of Lambda's after it.
      serviceTimeout: Duration.minutes(10),
      // Whatever of these changes, CloudFormation sends an Update. The physical id is of the first two.
      properties: { url: ingest.webhookUrl, name: webhookName, events: eventTypes, apiUrl, credentials },
    });
    // With its permissions: they have to outlive the subscription.
    subscription.node.addDependency(subscriber, ingest);

    const rotator = this.rotator(props);
    const schedule = new CfnRotationSchedule(this, 'RotationSchedule', {
      secretId: props.webhookSecret.secretArn,
      rotationLambdaArn: rotator.lambda.functionArn,
      rotationRules: { automaticallyAfterDays: rotationDays },
      // Secrets Manager then calls the test step alone. The first rotation comes with the schedule.
      rotateImmediatelyOnUpdate: false,
    });
    schedule.node.addDependency(rotator, subscription);
  }

  private subscriber(props: ArgyleSubscriptionProps): UploadsFunction {
    const subscriber = new UploadsFunction(this, 'Subscriber', {
      entry: 'subscription',
      description: 'Registers the webhook at Argyle when the stack is deployed.',
      service: 'subscription',
      // The function's own time budget is derived from it.
      timeout: Duration.millis(subscriptionTimeoutMs),
      environment: variablesOf(props),
      removalPolicy: props.removalPolicy,
    });
    // CloudFormation invokes it asynchronously. It is repeated if it died or could not answer, while anybody waits.
    subscriber.lambda.configureAsyncInvoke({ retryAttempts: 2, maxEventAge: Duration.minutes(10) });
    grantAll(subscriber, props, 'secretsmanager:GetSecretValue');
    // Only this function changes the registry of subscriptions.
    Grant.addToPrincipal({
      grantee: subscriber.lambda,
      actions: ['dynamodb:PutItem'],
      resourceArns: [props.argyle.state.tableArn],
    });
    Grant.addToPrincipal({
      grantee: subscriber.lambda,
      actions: ['cloudformation:DescribeStacks'],
      resourceArns: [Stack.of(this).stackId],
    });
    return subscriber;
  }

  private rotator(props: ArgyleSubscriptionProps): UploadsFunction {
    const rotator = new UploadsFunction(this, 'Rotator', {
      entry: 'rotation',
      description: 'Rotates the webhook secret without refusing a delivery.',
      service: rotationService,
      // A step waits 2 minutes by itself, and longer while Argyle is slow or a deployment is under way.
      timeout: Duration.minutes(15),
      environment: variablesOf(props),
      removalPolicy: props.removalPolicy,
    });
    grantAll(
      rotator,
      props,
      'secretsmanager:GetSecretValue',
      'secretsmanager:PutSecretValue',
      'secretsmanager:UpdateSecretVersionStage',
    );
    rotator.lambda.addPermission('SecretsManager', {
      principal: new ServicePrincipal('secretsmanager.amazonaws.com'),
      sourceAccount: Stack.of(this).account,
      sourceArn: props.webhookSecret.secretArn,
    });
    props.monitoring.watch(this, 'RotationFailed', {
      row: argyleRow,
      metric: customMetric(this, rotationService, rotationMetrics.failed),
      threshold: 1,
      failureImpact:
        'The webhook secret keeps its value: webhooks arrive as before, but a leaked secret would stay valid.',
      // It runs once in months.
      whenMissing: TreatMissingData.NOT_BREACHING,
    });
    return rotator;
  }
}

function variablesOf({ argyle, webhookSecret }: ArgyleSubscriptionProps): Readonly<Record<string, string>> {
  return {
    ...argyle.environment,
    [environment.webhookSecretId]: webhookSecret.secretArn,
    [environment.stateTableName]: argyle.state.tableName,
  };
}

// The API key, the lease and the registry in the state table, and the named actions on the webhook secret.
function grantAll({ lambda }: UploadsFunction, props: ArgyleSubscriptionProps, ...secretActions: string[]): void {
  props.argyle.grantRead(lambda);
  Grant.addToPrincipal({
    grantee: lambda,
    actions: ['dynamodb:GetItem', 'dynamodb:UpdateItem'],
    resourceArns: [props.argyle.state.tableArn],
  });
  Grant.addToPrincipal({ grantee: lambda, actions: secretActions, resourceArns: [props.webhookSecret.secretArn] });
}
