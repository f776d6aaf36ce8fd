import { CustomResource, Duration, type RemovalPolicy, Stack } from 'aws-cdk-lib';
import { TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { Grant, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnRotationSchedule, type Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { environment } from '../functions/aws/environment.ts';
import { eventTypes } from '../functions/domain/events.ts';
import { rotationMetrics, rotationService } from '../functions/domain/metric-names.ts';
import { type ArgyleAccount, argyleRow } from './argyle-account.ts';
import { customMetric } from './custom-metric.ts';
import type { IngestApi } from './ingest-api.ts';
import type { Monitoring } from './monitoring.ts';
import { UploadsFunction } from './uploads-function.ts';

export type ArgyleSubscriptionProps = {
  readonly argyle: ArgyleAccount;
  /** Receives the webhooks. It is created before the subscription and deleted after it. */
  readonly ingest: IngestApi;
  readonly webhookSecret: Secret;
  readonly removalPolicy: RemovalPolicy;
  readonly monitoring: Monitoring;
};

/** The webhook subscription at Argyle as a resource of the stack, and the rotation of its signing secret. */
export class ArgyleSubscription extends Construct {
  constructor(scope: Construct, id: string, props: ArgyleSubscriptionProps) {
    super(scope, id);
    const { argyle, ingest } = props;
    const { apiUrl, credentials, webhookName, rotationDays } = argyle.config;

    const subscriber = this.subscriber(props);
    const subscription = new CustomResource(this, 'Resource', {
      resourceType: 'Custom::ArgyleSubscription',
      serviceToken: subscriber.lambda.functionArn,
      // CloudFormation's default is an hour. The function answers within 150 s; Lambda may retry it twice.
      serviceTimeout: Duration.minutes(10),
      // CloudFormation sends an Update when any of these changes. The physical id is derived from `url` and `name`.
      properties: { url: ingest.webhookUrl, name: webhookName, events: eventTypes, apiUrl, credentials },
    });
    // These constructs include the permissions, which must outlive the subscription.
    subscription.node.addDependency(subscriber, ingest);

    const rotator = this.rotator(props);
    const schedule = new CfnRotationSchedule(this, 'RotationSchedule', {
      secretId: props.webhookSecret.secretArn,
      rotationLambdaArn: rotator.lambda.functionArn,
      rotationRules: { automaticallyAfterDays: rotationDays },
      // A deployment runs only the test step. The first rotation follows the schedule.
      rotateImmediatelyOnUpdate: false,
    });
    schedule.node.addDependency(rotator, subscription);
  }

  private subscriber(props: ArgyleSubscriptionProps): UploadsFunction {
    const subscriber = new UploadsFunction(this, 'Subscriber', {
      entry: 'subscription',
      description: 'Registers the webhook at Argyle when the stack is deployed.',
      service: 'subscription',
      // 120 s of work, then up to 17 s to answer CloudFormation.
      timeout: Duration.seconds(150),
      environment: variablesOf(props),
      removalPolicy: props.removalPolicy,
    });
    // CloudFormation invokes the function asynchronously. Lambda retries it while CloudFormation waits for an answer.
    subscriber.lambda.configureAsyncInvoke({ retryAttempts: 2, maxEventAge: Duration.minutes(10) });
    grantAll(subscriber, props, 'secretsmanager:GetSecretValue');
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
      // A step always waits 2 minutes, and longer while Argyle is slow or a deployment is in progress.
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
      failureImpact: 'The webhook secret was not rotated: webhooks still arrive, but a leaked secret would stay valid.',
      // A rotation runs once in months.
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

// The API key, the items of the state table (lease and known subscriptions), and the given actions on the webhook secret.
function grantAll({ lambda }: UploadsFunction, props: ArgyleSubscriptionProps, ...secretActions: string[]): void {
  props.argyle.grantRead(lambda);
  Grant.addToPrincipal({
    grantee: lambda,
    actions: ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:DeleteItem'],
    resourceArns: [props.argyle.state.tableArn],
  });
  Grant.addToPrincipal({ grantee: lambda, actions: secretActions, resourceArns: [props.webhookSecret.secretArn] });
}
