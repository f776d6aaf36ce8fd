import { fileURLToPath } from 'node:url';
import { type Duration, type RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Grant, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Alias, Architecture, type IVersion, type RecursiveLoop, Runtime } from 'aws-cdk-lib/aws-lambda';
import { type BundlingOptions, NodejsFunction, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { environment } from '../functions/aws/environment.ts';

export type UploadsFunctionProps = {
  /** The folder in functions/ whose handler.ts exports `handler`. */
  readonly entry: 'ingest' | 'worker' | 'subscription' | 'rotation' | 'reconciliation' | 'record-changes';
  readonly description: string;
  /** The `service` dimension of its metrics. */
  readonly service: string;
  readonly timeout: Duration;
  readonly environment: Readonly<Record<string, string>>;
  /** Whether Lambda stops the function when it invokes itself repeatedly. @default Lambda stops it */
  readonly recursiveLoop?: RecursiveLoop;
  readonly removalPolicy: RemovalPolicy;
};

/** A Lambda function from functions/, bundled by esbuild. Without `allow`, its role can only write to its own log group. */
export class UploadsFunction extends Construct {
  readonly lambda: NodejsFunction;
  readonly service: string;
  readonly logGroup: LogGroup;

  constructor(scope: Construct, id: string, props: UploadsFunctionProps) {
    super(scope, id);
    this.service = props.service;
    this.logGroup = new LogGroup(this, 'Logs', {
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: props.removalPolicy,
    });
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    this.logGroup.grant(role, 'logs:CreateLogStream', 'logs:PutLogEvents');

    this.lambda = new NodejsFunction(this, 'Function', {
      entry: pathOf(`../functions/${props.entry}/handler.ts`),
      description: props.description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: 512,
      timeout: props.timeout,
      role,
      logGroup: this.logGroup,
      ...(props.recursiveLoop && { recursiveLoop: props.recursiveLoop }),
      environment: {
        ...props.environment,
        // One namespace per stack, so that two stages in one account have separate metrics.
        [environment.metricsNamespace]: Stack.of(this).stackName,
        [environment.serviceName]: props.service,
      },
      depsLockFilePath: pathOf('../package-lock.json'),
      bundling,
    });
  }

  /** Allows actions on one resource. The grants of CDK's constructs allow more, such as the indexes of a table. */
  allow(resourceArn: string, ...actions: string[]): void {
    Grant.addToPrincipal({ grantee: this.lambda, actions, resourceArns: [resourceArn] });
  }

  /** Creates the alias `live` of the deployed version. Callers use it, so that a canary can move them to a new version. */
  liveAlias(): Alias {
    return new Alias(this, 'Live', { aliasName: 'live', version: this.lambda.currentVersion as IVersion });
  }
}

/** The esbuild options of all functions. docs/performance.md shows the effect of each line. */
export const bundling = {
  format: OutputFormat.CJS,
  target: 'node24',
  minify: true,
  mainFields: ['module', 'main'],
  // Lambda's own SDK is older than ours and not minified.
  bundleAwsSDK: true,
  esbuildArgs: {
    '--supported:dynamic-import': 'false',
    '--alias:@aws-sdk/credential-provider-node': pathOf('./bundle-stubs/environment-credentials.ts'),
    '--alias:@smithy/core/event-streams': pathOf('./bundle-stubs/no-event-streams.ts'),
    '--alias:node:fs/promises': pathOf('./bundle-stubs/no-files.ts'),
  },
} satisfies BundlingOptions;

function pathOf(relativePath: string): string {
  return fileURLToPath(new URL(relativePath, import.meta.url));
}
