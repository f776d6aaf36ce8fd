import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { AttributeType, BillingMode, ProjectionType, StreamViewType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { Construct } from 'constructs';
import type { Monitoring } from './monitoring.ts';

export type UploadTableProps = { readonly removalPolicy: RemovalPolicy; readonly monitoring: Monitoring };

/** The upload records: one item per document, and KEYS_ONLY indexes by account and by user. */
export class UploadTable extends Construct {
  readonly table: Table;

  constructor(scope: Construct, id: string, { removalPolicy, monitoring }: UploadTableProps) {
    super(scope, id);
    this.table = new Table(this, 'Table', {
      partitionKey: { name: 'userUpload', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      stream: StreamViewType.NEW_AND_OLD_IMAGES,
      timeToLiveAttribute: 'expiresAt',
      deletionProtection: removalPolicy === RemovalPolicy.RETAIN,
      removalPolicy,
    });
    // These attributes never change, so each index entry is written once per document.
    for (const [indexName, key] of [
      ['byAccount', 'account'],
      ['byUser', 'user'],
    ] as const) {
      this.table.addGlobalSecondaryIndex({
        indexName,
        partitionKey: { name: key, type: AttributeType.STRING },
        projectionType: ProjectionType.KEYS_ONLY,
      });
    }
    const throttled = this.table.metricThrottledRequestsForOperation(writeOperation, { period: Duration.minutes(5) });
    monitoring.watch(this, 'TableThrottled', {
      row: 'records',
      metric: throttled.with({ statistic: Stats.SUM }),
      // The SDK and the queue retry. An on-demand table throttles a few writes when load rises suddenly, until it has scaled up.
      threshold: 10,
      failureImpact: 'DynamoDB throttles writes: events appear in the records later than they should.',
    });
    const latency = (statistic: string) =>
      this.table.metricSuccessfulRequestLatency({
        dimensionsMap: { TableName: this.table.tableName, Operation: writeOperation },
        period: Duration.minutes(1),
        statistic,
        label: `${writeOperation} ${statistic}`,
      });
    monitoring.graph('records', 'Latency, ms', { left: [latency('p50'), latency('p99')] });
  }
}

// The write of an event. Writes of documents follow it, with credentials for Argyle.
const writeOperation = 'UpdateItem';
