import { RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, BillingMode, ProjectionType, StreamViewType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { Construct } from 'constructs';

/** What the table is made from. */
export type UploadTableProps = { readonly removalPolicy: RemovalPolicy };

/** The upload records: one item per document, found by account and by user through KEYS_ONLY indexes. */
export class UploadTable extends Construct {
  readonly table: Table;

  constructor(scope: Construct, id: string, { removalPolicy }: UploadTableProps) {
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
  }
}
