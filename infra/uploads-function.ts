import { fileURLToPath } from 'node:url';
import { type Duration, type RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Alias, Architecture, type IVersion, type RecursiveLoop, Runtime } from 'aws-cdk-lib/aws-lambda';
import { type BundlingOptions, NodejsFunction, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { environment } from '../functions/aws/environment.ts';

/** What a function is made from. */
export type UploadsFunctionProps = {
  /** The folder in functions/ whose handler.ts exports `handler`. */
  readonly entry: 'ingest' | 'worker' | 'subscription' | 'rotation' | 'reconciliation' | 'record-changes';
  readonly description: string;
  /** The `service` dimension of its metrics. */
  readonly service: string;
  readonly timeout: Duration;
  readonly environment: Readonly<Record<string, string>>;
  /** What Lambda does when the function causes its own invocation again and again; by default it stops that. */
  readonly recursiveLoop?: RecursiveLoop;
  readonly removalPolicy: RemovalPolicy;
};

/** A function of functions/, bundled by esbuild, with a role that can write its own log group and nothing else. */
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
        // One namespace per stack: stages may share an account, their metrics may not.
        [environment.metricsNamespace]: Stack.of(this).stackName,
        [environment.serviceName]: props.service,
      },
      depsLockFilePath: pathOf('../package-lock.json'),
      bundling,
    });
  }

  /** An alias on what is deployed: who calls it instead of the function can be moved to a new version bit by bit. */
  liveAlias(): Alias {
    return new Alias(this, 'Live', { aliasName: 'live', version: this.lambda.currentVersion as IVersion });
  }
}

/** How functions/ is bundled. docs/performance.md says what each line buys. */
export const bundling = {
  format: OutputFormat.CJS,
  target: 'node24',
  minify: true,
  mainFields: ['module', 'main'],
  // The SDK that Lambda provides is older than ours and not minified.
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
