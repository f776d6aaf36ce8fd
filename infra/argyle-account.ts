import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AttributeType, BillingMode, Table } from 'aws-cdk-lib/aws-dynamodb';
import { Construct } from 'constructs';
import { environment } from '../functions/aws/environment.ts';
import { events, eventTypes } from '../functions/domain/events.ts';
import { documentMetrics } from '../functions/domain/metric-names.ts';
import { removalSlot } from '../functions/domain/upload-record.ts';
import type { ArgyleConfig } from './config.ts';
import { customMetric, sumOf } from './custom-metric.ts';
import type { Monitoring } from './monitoring.ts';
import type { UploadsFunction } from './uploads-function.ts';

/** The events after which the worker fetches the document. A removed document no longer exists at Argyle. */
export const fetchingEvents = eventTypes.filter((event) => events[event].slot !== removalSlot);

/** The dashboard row of everything that calls Argyle. */
export const argyleRow = 'argyle';

/** The customer's account at Argyle: the API's URL, its key, and the table with the stack's own state. */
export class ArgyleAccount extends Construct {
  readonly config: ArgyleConfig;
  /** The variables of a function that calls Argyle. It also needs `grantRead`. */
  readonly environment: Readonly<Record<string, string>>;
  /**
   * Leases, the subscription registry and the progress of reconciliation: key `id`. Items with an
   * `expiresAt` are deleted after it. No delivery needs the table.
   */
  readonly state: Table;
  private readonly secretArn: string;

  constructor(scope: Construct, id: string, config: ArgyleConfig, monitoring: Monitoring) {
    super(scope, id);
    const { apiUrl, credentials } = config;
    this.config = config;
    this.environment = { [environment.argyleApiUrl]: apiUrl, [environment.argyleCredentialsId]: credentials };
    // Secrets Manager appends a hyphen and six characters to the name of each secret in its ARN.
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

  /** Allows a function to read the API key. */
  grantRead(uploadsFunction: UploadsFunction): void {
    uploadsFunction.allow(this.secretArn, 'secretsmanager:GetSecretValue');
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
    // During an outage, the worker requests each document eight times in its first quarter of an hour: at least four of them are
    // in the same period. Single failed requests fire no alarm.
    metric: sum(documentMetrics.failed, Duration.minutes(15)),
    threshold: 4,
    failureImpact: "Argyle's API fails: records show that a document changed, but not its current details.",
  });
  monitoring.graph(row, 'Document requests', {
    left: Object.values(documentMetrics).map((name) => sum(name, Duration.minutes(1))),
    stacked: true,
  });
}
