import { type App, CfnOutput, RemovalPolicy, Stack, type StackProps, Tags, Validations } from 'aws-cdk-lib';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { eventTypes } from '../functions/domain/events.ts';
import { ingestService } from '../functions/domain/metric-names.ts';
import { ArgyleAccount } from './argyle-account.ts';
import { ArgyleSubscription } from './argyle-subscription.ts';
import { CanaryRollout } from './canary-rollout.ts';
import { argyleApiUrls, type Config } from './config.ts';
import { EventPipeline } from './event-pipeline.ts';
import { overviewRow, showFunnel } from './funnel.ts';
import { IngestApi } from './ingest-api.ts';
import { Monitoring } from './monitoring.ts';
import { outputNames } from './output-names.ts';
import { Reconciliation } from './reconciliation.ts';
import { RecordChanges } from './record-changes.ts';
import { SavedQueries } from './saved-queries.ts';
import { UploadTable } from './upload-table.ts';
import { UploadsFunction } from './uploads-function.ts';

export type UploadsStackProps = StackProps & { readonly config: Config };

/** The whole receiver: API Gateway → ingest → a queue and worker per event type → upload records. */
export class UploadsStack extends Stack {
  constructor(scope: App, id: string, { config, ...props }: UploadsStackProps) {
    super(scope, id, {
      description: "Receives Argyle's user_uploads webhooks and keeps one record per uploaded document.",
      terminationProtection: config.stage === 'production',
      ...props,
    });
    const removalPolicy = config.stage === 'production' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;

    const monitoring = new Monitoring(this, 'Monitoring', {
      ...config,
      rows: [overviewRow, ingestService, ...eventTypes],
    });
    showFunnel(this, monitoring);
    new SavedQueries(this, 'SavedQueries');
    const shared = { removalPolicy, monitoring };
    const { table } = new UploadTable(this, 'Uploads', shared);
    const webhookSecret = new Secret(this, 'WebhookSecret', {
      description: 'Signs the webhooks: the `secret` of the Argyle subscription.',
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
      removalPolicy,
    });

    const { retentionDays, silenceHours } = config;
    const argyle = config.argyle && new ArgyleAccount(this, 'Argyle', config.argyle, monitoring);
    const pipelines = eventTypes.map(
      (eventType) => new EventPipeline(this, eventType, { ...shared, eventType, table, retentionDays, argyle }),
    );
    const ingest = new IngestApi(this, 'Ingest', { ...shared, webhookSecret, pipelines, silenceHours });
    if (config.publishChanges) new RecordChanges(this, 'Changes', { ...shared, table });
    if (config.rollout === 'canary')
      new CanaryRollout(this, 'Rollout', [
        { alias: ingest.ingest, alarms: [ingest.serverErrors] },
        ...pipelines.map(({ worker, alarms }) => ({ alias: worker, alarms })),
      ]);
    if (argyle) {
      const { subscriber } = new ArgyleSubscription(this, 'Subscription', { ...shared, argyle, ingest, webhookSecret });
      const { reconcile } = new Reconciliation(this, 'Reconciliation', { ...shared, argyle, table, pipelines });
      new CfnOutput(this, outputNames.reconciliationFunctionName, { value: reconcile.lambda.functionName });
      new CfnOutput(this, outputNames.stateTableName, { value: argyle.state.tableName });
      new CfnOutput(this, outputNames.subscriptionFunctionName, { value: subscriber.lambda.functionName });
      new CfnOutput(this, outputNames.subscriptionName, {
        value: argyle.config.webhookName,
        description: 'The `name` of the Argyle subscription that this stack manages.',
      });
    } else describeManualSubscription(this, webhookSecret, argyleApiUrls[config.stage], ingest.webhookUrl);
    Tags.of(this).add('stage', config.stage);

    new CfnOutput(this, outputNames.webhookUrl, {
      value: ingest.webhookUrl,
      description: 'The `url` of the Argyle subscription.',
    });
    new CfnOutput(this, outputNames.webhookSecretArn, { value: webhookSecret.secretArn });
    new CfnOutput(this, outputNames.uploadTableName, { value: table.tableName });
    new CfnOutput(this, outputNames.quarantineQueueUrl, { value: ingest.quarantine.queueUrl });
    const queueUrls = pipelines.map(({ eventType, queue }) => [eventType, queue.queueUrl]);
    new CfnOutput(this, outputNames.queueUrls, { value: this.toJsonString(Object.fromEntries(queueUrls)) });
    new CfnOutput(this, outputNames.logGroupNames, { value: this.toJsonString(logGroupNames(this)) });
  }
}

function logGroupNames(stack: Stack): Record<string, string> {
  const functions = stack.node.findAll().filter((construct) => construct instanceof UploadsFunction);
  return Object.fromEntries(functions.map(({ service, logGroup }) => [service, logGroup.logGroupName]));
}

function describeManualSubscription(scope: Stack, webhookSecret: Secret, apiUrl: string, webhookUrl: string): void {
  Validations.of(webhookSecret).acknowledge({
    id: 'AwsSolutions-SMG4',
    reason:
      'A subscription at Argyle uses the same secret: rotating it only here would reject every delivery. ' +
      'Ingest accepts the pending and the previous version, so an operator can rotate without a gap.',
  });
  const subscription = { events: eventTypes, name: scope.stackName, url: webhookUrl, secret: '%s' };
  // curl reads its configuration from standard input: arguments would show the key and the secret in the list of processes.
  const config = `user = "%s:%s"\\ndata = ${JSON.stringify(subscription)}\\n`;
  const values = '"$ARGYLE_API_KEY_ID" "$ARGYLE_API_KEY_SECRET" "$WEBHOOK_SECRET"';
  new CfnOutput(scope, 'SubscribeByHand', {
    value: `printf '${config}' ${values} | curl -K - -H "content-type: application/json" ${apiUrl}/webhooks`,
    description:
      'Creates the subscription. Export its three variables first; WEBHOOK_SECRET is the value of the secret WebhookSecretArn. With the context value argyleCredentials, the stack does this.',
  });
}
