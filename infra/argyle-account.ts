import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AttributeType, BillingMode, Table } from 'aws-cdk-lib/aws-dynamodb';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { environment } from '../functions/environment.ts';
import type { ArgyleConfig } from './config.ts';

/** The customer's account at Argyle: where its API is, the key to it, and what the stack remembers about it. */
export class ArgyleAccount extends Construct {
  readonly config: ArgyleConfig;
  /** What a function needs to ask Argyle, beside the grant. */
  readonly environment: Readonly<Record<string, string>>;
  /** Leases, and how far reconciliation has come: key `id`, gone with `expiresAt`. Nothing in it must be kept. */
  readonly state: Table;
  private readonly secretArn: string;

  constructor(scope: Construct, id: string, config: ArgyleConfig) {
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
  }

  /** Lets a function read the key. Only what asks Argyle may. */
  grantRead(grantee: IGrantable): void {
    Grant.addToPrincipal({ grantee, actions: ['secretsmanager:GetSecretValue'], resourceArns: [this.secretArn] });
  }
}
