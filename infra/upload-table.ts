import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { AttributeType, BillingMode, ProjectionType, StreamViewType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { Construct } from 'constructs';
import type { Monitoring } from './monitoring.ts';

/** What the table is made from. */
export type UploadTableProps = { readonly removalPolicy: RemovalPolicy; readonly monitoring: Monitoring };

/** The upload records: one item per document, found by account and by user through KEYS_ONLY indexes. */
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
    // The keys of a record never change, so an index entry is written once per document.
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
    const throttled = this.table.metricThrottledRequestsForOperation(writing, { period: Duration.minutes(5) });
    monitoring.watch(this, 'TableThrottled', {
      row: 'records',
      metric: throttled.with({ statistic: Stats.SUM }),
      // The SDK and the queue try again: a few at the start of a sudden load are how an on-demand table grows.
      threshold: 10,
      failureImpact: 'DynamoDB takes fewer writes than there are: every event becomes visible later than it should.',
      // DynamoDB reports only what it throttled.
      whenMissing: TreatMissingData.NOT_BREACHING,
    });
    const latency = (statistic: string) =>
      this.table.metricSuccessfulRequestLatency({
        dimensionsMap: { TableName: this.table.tableName, Operation: writing },
        period: Duration.minutes(1),
        statistic,
        label: `${writing} ${statistic}`,
      });
    monitoring.graph('records', 'Latency, ms', { left: [latency('p50'), latency('p99')] });
  }
}

// The workers' one write per event.
const writing = 'UpdateItem';
