import { Stack } from 'aws-cdk-lib';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { environment } from '../functions/environment.ts';
import type { ArgyleConfig } from './config.ts';

/** The customer's account at Argyle: where its API is, and the key to it, which lies in a secret that is not ours. */
export class ArgyleAccount extends Construct {
  /** What a function needs to ask Argyle, beside the grant. */
  readonly environment: Readonly<Record<string, string>>;
  private readonly secretArn: string;

  constructor(scope: Construct, id: string, { apiUrl, credentials }: ArgyleConfig) {
    super(scope, id);
    this.environment = { [environment.argyleApiUrl]: apiUrl, [environment.argyleCredentialsId]: credentials };
    // Secrets Manager ends the ARN of each secret with six characters of its own.
    this.secretArn = credentials.startsWith('arn:')
      ? credentials
      : Stack.of(this).formatArn({ service: 'secretsmanager', resource: `secret:${credentials}-??????` });
  }

  /** Lets a function read the key. Only what asks Argyle may. */
  grantRead(grantee: IGrantable): void {
    Grant.addToPrincipal({ grantee, actions: ['secretsmanager:GetSecretValue'], resourceArns: [this.secretArn] });
  }
}
