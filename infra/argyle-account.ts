import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { AttributeType, BillingMode, Table } from 'aws-cdk-lib/aws-dynamodb';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { environment } from '../functions/aws/environment.ts';
import { events, eventTypes } from '../functions/domain/events.ts';
import { documentMetrics } from '../functions/domain/metric-names.ts';
import { removalSlot } from '../functions/domain/upload-record.ts';
import type { ArgyleConfig } from './config.ts';
import { customMetric, sumOf } from './custom-metric.ts';
import type { Monitoring } from './monitoring.ts';

/** The events after which the document is fetched. A removal has nothing to fetch: the document is gone. */
export const fetchingEvents = eventTypes.filter((event) => events[event].slot !== removalSlot);

/** The row of the dashboard of all that is done at Argyle. */
export const argyleRow = 'argyle';

/** The customer's account at Argyle: where its API is, the key to it, and what the stack remembers about it. */
export class ArgyleAccount extends Construct {
  readonly config: ArgyleConfig;
  /** What a function needs to ask Argyle, beside the grant. */
  readonly environment: Readonly<Record<string, string>>;
  /** Leases, and how far reconciliation has come: key `id`, gone with `expiresAt`. Nothing in it must be kept. */
  readonly state: Table;
  private readonly secretArn: string;

  constructor(scope: Construct, id: string, config: ArgyleConfig, monitoring: Monitoring) {
    super(scope, id);
    const { apiUrl, credentials } = config;
    this.config = config;
    this.environment = { [environment.argyleApiUrl]: apiUrl, [environment.argyleCredentialsId]: credentials };
    // Secrets Manager ends the ARN of each secret with six characters of its own.
    this.secretArn = credentials.startsWith('arn:')
      ? credentials
      : Stack.of(this).formatArn({ service: 'secretsmanager', resource: `secret:${credentials}-??????` });
    this.state = new Table(this, 'State', {
      partitionKey: { name: 'id', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      timeToLiveAttribute: 'expiresAt',
      removalPolicy: RemovalPolicy.DESTROY,
    });
    watchDocuments(this, monitoring);
  }

  /** Lets a function read the key. Only what asks Argyle may. */
  grantRead(grantee: IGrantable): void {
    Grant.addToPrincipal({ grantee, actions: ['secretsmanager:GetSecretValue'], resourceArns: [this.secretArn] });
  }
}

function watchDocuments(scope: Construct, monitoring: Monitoring): void {
  const row = argyleRow;
  const sum = (metricName: string, period: Duration) =>
    sumOf(
      fetchingEvents.map((event) => customMetric(scope, event, metricName)),
      metricName,
      period,
    );
  monitoring.watch(scope, 'DocumentsNotFetched', {
    row,
    // One document is asked for six times in its first five minutes: a single bad answer is no alarm, an outage is.
    metric: sum(documentMetrics.failed, Duration.minutes(5)),
    threshold: 5,
    failureImpact:
      "Argyle's API does not answer: records say that a document changed, but not what is known of it now.",
    // Nothing was asked.
    whenMissing: TreatMissingData.NOT_BREACHING,
  });
  monitoring.graph(row, 'Documents asked for', {
    left: Object.values(documentMetrics).map((name) => sum(name, Duration.minutes(1))),
    stacked: true,
  });
}
