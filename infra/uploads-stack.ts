import { type App, CfnOutput, RemovalPolicy, Stack, type StackProps, Tags, Validations } from 'aws-cdk-lib';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { eventTypes } from '../functions/domain/events.ts';
import { ingestService } from '../functions/metric-names.ts';
import { ArgyleAccount } from './argyle-account.ts';
import type { Config } from './config.ts';
import { EventPipeline } from './event-pipeline.ts';
import { overview, showFunnel } from './funnel.ts';
import { IngestApi } from './ingest-api.ts';
import { Monitoring } from './monitoring.ts';
import { SavedQueries } from './saved-queries.ts';
import { UploadTable } from './upload-table.ts';

/** What the stack is made from. */
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
      rows: [overview, ingestService, ...eventTypes],
    });
    showFunnel(this, monitoring);
    new SavedQueries(this, 'SavedQueries');
    const uploads = new UploadTable(this, 'Uploads', { removalPolicy, monitoring });
    const webhookSecret = new Secret(this, 'WebhookSecret', {
      description: 'Signs the webhooks: the `secret` of the Argyle subscription.',
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
      removalPolicy,
    });
    Validations.of(webhookSecret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason:
        'The secret is shared with a subscription at Argyle: rotating it here alone would refuse every delivery. ' +
        'Ingest accepts the pending and the previous version, so an operator can rotate without a gap.',
    });

    const argyle = config.argyle && new ArgyleAccount(this, 'Argyle', config.argyle, monitoring);
    const pipelines = eventTypes.map(
      (eventType) =>
        new EventPipeline(this, eventType, {
          eventType,
          table: uploads.table,
          retentionDays: config.retentionDays,
          removalPolicy,
          monitoring,
          argyle,
        }),
    );
    const ingest = new IngestApi(this, 'Ingest', {
      webhookSecret,
      pipelines,
      removalPolicy,
      monitoring,
      silenceHours: config.silenceHours,
    });
    Tags.of(this).add('stage', config.stage);

    new CfnOutput(this, 'WebhookUrl', {
      value: ingest.webhookUrl,
      description: 'The `url` of the Argyle subscription.',
    });
    new CfnOutput(this, 'WebhookSecretArn', { value: webhookSecret.secretArn });
    new CfnOutput(this, 'UploadTableName', { value: uploads.table.tableName });
  }
}
