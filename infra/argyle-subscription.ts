import { CfnDeletionPolicy, type CfnResource, CustomResource, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnRotationSchedule, type Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { environment } from '../functions/aws/environment.ts';
import { eventTypes } from '../functions/domain/events.ts';
import { rotationService } from '../functions/domain/metric-names.ts';
import { subscriptionTimeoutMs } from '../functions/domain/subscription.ts';
import { type ArgyleAccount, argyleRow } from './argyle-account.ts';
import type { IngestApi } from './ingest-api.ts';
import type { Monitoring } from './monitoring.ts';
import { UploadsFunction, type UploadsFunctionProps } from './uploads-function.ts';

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
  /** CloudFormation invokes it, and operators do to re-create a lost subscription. */
  readonly subscriber: UploadsFunction;

  constructor(scope: Construct, id: string, props: ArgyleSubscriptionProps) {
    super(scope, id);
    const { argyle, ingest } = props;
    const { apiUrl, credentials, webhookName, rotationDays } = argyle.config;

    this.subscriber = this.createSubscriber(props);
    const subscription = new CustomResource(this, 'Resource', {
      resourceType: 'Custom::ArgyleSubscription',
      serviceToken: this.subscriber.lambda.functionArn,
      // CloudFormation's default is an hour. The function answers within 150 s; Lambda may retry it twice.
      serviceTimeout: Duration.minutes(10),
      // CloudFormation sends an Update when any of these changes. The physical id is derived from `url` and `name`.
      properties: { url: ingest.webhookUrl, name: webhookName, events: eventTypes, apiUrl, credentials },
    });
    if (props.removalPolicy === RemovalPolicy.RETAIN) retainWhenRemoved(subscription);
    // These constructs include the permissions that the subscription needs until it is deleted.
    subscription.node.addDependency(this.subscriber, ingest);

    const rotator = this.createRotator(props);
    const schedule = new CfnRotationSchedule(this, 'RotationSchedule', {
      secretId: props.webhookSecret.secretArn,
      rotationLambdaArn: rotator.lambda.functionArn,
      rotationRules: { automaticallyAfterDays: rotationDays },
      // A deployment runs only the test step. The first rotation follows the schedule.
      rotateImmediatelyOnUpdate: false,
    });
    schedule.node.addDependency(rotator, subscription);
  }

  private createSubscriber(props: ArgyleSubscriptionProps): UploadsFunction {
    const subscriber = this.createFunction('Subscriber', props, {
      entry: 'subscription',
      description: 'Registers the webhook at Argyle when the stack is deployed.',
      service: 'subscription',
      // The function's time budget is derived from it.
      timeout: Duration.millis(subscriptionTimeoutMs),
    });
    // CloudFormation invokes the function asynchronously. Lambda retries it while CloudFormation waits for an answer.
    subscriber.lambda.configureAsyncInvoke({ retryAttempts: 2, maxEventAge: Duration.minutes(10) });
    subscriber.allow(props.webhookSecret.secretArn, 'secretsmanager:GetSecretValue');
    // Only this function changes the registry of subscriptions.
    subscriber.allow(props.argyle.state.tableArn, 'dynamodb:PutItem');
    subscriber.allow(Stack.of(this).stackId, 'cloudformation:DescribeStacks');
    return subscriber;
  }

  private createRotator(props: ArgyleSubscriptionProps): UploadsFunction {
    const { secretArn } = props.webhookSecret;
    const rotator = this.createFunction('Rotator', props, {
      entry: 'rotation',
      description: 'Rotates the webhook secret without refusing a delivery.',
      service: rotationService,
      // A step waits about 2 minutes, and longer while Argyle is slow or a deployment is in progress.
      timeout: Duration.minutes(15),
    });
    rotator.allow(
      secretArn,
      'secretsmanager:GetSecretValue',
      'secretsmanager:PutSecretValue',
      'secretsmanager:UpdateSecretVersionStage',
    );
    rotator.lambda.addPermission('SecretsManager', {
      principal: new ServicePrincipal('secretsmanager.amazonaws.com'),
      sourceAccount: Stack.of(this).account,
      sourceArn: secretArn,
    });
    props.monitoring.watch(this, 'RotationFailed', {
      row: argyleRow,
      // Each failed step throws. This metric also counts crashes, time-outs and failed starts.
      metric: rotator.lambda.metricErrors({ period: Duration.minutes(5), statistic: Stats.SUM }),
      threshold: 1,
      failureImpact: 'The webhook secret was not rotated: webhooks still arrive, but a leaked secret would stay valid.',
    });
    return rotator;
  }

  // Both functions call Argyle and share the state table, which contains the lease and the subscription registry.
  private createFunction(
    id: string,
    { argyle, webhookSecret, removalPolicy }: ArgyleSubscriptionProps,
    props: Pick<UploadsFunctionProps, 'entry' | 'description' | 'service' | 'timeout'>,
  ): UploadsFunction {
    const created = new UploadsFunction(this, id, {
      ...props,
      environment: {
        ...argyle.environment,
        [environment.webhookSecretId]: webhookSecret.secretArn,
        [environment.stateTableName]: argyle.state.tableName,
      },
      removalPolicy,
    });
    argyle.grantRead(created);
    created.allow(argyle.state.tableArn, 'dynamodb:GetItem', 'dynamodb:UpdateItem');
    return created;
  }
}

// A subscription that leaves the template continues to deliver. One that is replaced, because its URL or name has changed, is still
// deleted: otherwise Argyle would send every webhook twice. RemovalPolicy.RETAIN would retain both.
function retainWhenRemoved({ node }: CustomResource): void {
  (node.defaultChild as CfnResource).cfnOptions.deletionPolicy = CfnDeletionPolicy.RETAIN;
}
