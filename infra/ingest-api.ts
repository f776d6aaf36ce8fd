import { Duration, type RemovalPolicy, Validations } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import { HttpApi, HttpMethod, HttpStage, LogGroupLogDestination } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { Alarm } from 'aws-cdk-lib/aws-cloudwatch';
import { Grant } from 'aws-cdk-lib/aws-iam';
import type { Alias, IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { environment, eventQueueUrl } from '../functions/aws/environment.ts';
import { ingestService } from '../functions/domain/metric-names.ts';
import { type EventPipeline, queueDefaults } from './event-pipeline.ts';
import { watchIngest } from './ingest-monitoring.ts';
import type { Monitoring } from './monitoring.ts';
import { UploadsFunction } from './uploads-function.ts';

export type IngestApiProps = {
  readonly webhookSecret: Secret;
  readonly pipelines: readonly EventPipeline[];
  readonly removalPolicy: RemovalPolicy;
  readonly monitoring: Monitoring;
  /** An alarm fires after this many hours without a webhook. @default never */
  readonly silenceHours: number | undefined;
};

/** The public endpoint: an HTTP API, the ingest function, and the quarantine queue for signed messages it does not understand. */
export class IngestApi extends Construct {
  readonly webhookUrl: string;
  readonly quarantine: Queue;
  /** The alias that the routes call. */
  readonly ingest: Alias;
  /** Fires when webhooks may be lost because ingest fails. It rolls a deployment back. */
  readonly serverErrors: Alarm;

  constructor(scope: Construct, id: string, props: IngestApiProps) {
    super(scope, id);
    const { removalPolicy } = props;
    this.quarantine = new Queue(this, 'Quarantine', {
      ...queueDefaults,
      retentionPeriod: Duration.days(14),
      removalPolicy,
    });
    Validations.of(this.quarantine).acknowledge({
      id: 'AwsSolutions-SQS3',
      reason: 'No function consumes the quarantine queue: an operator inspects it when its alarm fires.',
    });
    const ingest = createIngest(this, props, this.quarantine);
    const api = new HttpApi(this, 'Api', { createDefaultStage: false, description: "Receives Argyle's webhooks." });
    this.ingest = ingest.liveAlias();
    addRoutes(api, this.ingest);
    const stage = addStage(this, api, removalPolicy);
    this.webhookUrl = `${api.apiEndpoint}${webhookPath}`;

    this.serverErrors = watchIngest(this, props.monitoring, {
      stage,
      quarantine: this.quarantine,
      ingest: ingest.lambda,
      requestsPerSecond,
      silenceHours: props.silenceHours,
    });
  }
}

// Far above the traffic of any customer. Requests above it are answered 429, which Argyle retries.
const requestsPerSecond = 1_000;
const webhookPath = '/webhooks/argyle';

function createIngest(
  scope: Construct,
  { webhookSecret, pipelines, removalPolicy }: IngestApiProps,
  quarantine: Queue,
): UploadsFunction {
  const ingest = new UploadsFunction(scope, 'Function', {
    entry: 'ingest',
    description: 'Verifies a webhook and queues it before it answers.',
    service: ingestService,
    // Below the gateway's 9 s, so that the answer is ours.
    timeout: Duration.seconds(8),
    environment: {
      [environment.webhookSecretId]: webhookSecret.secretArn,
      [environment.quarantineQueueUrl]: quarantine.queueUrl,
      ...Object.fromEntries(pipelines.map(({ eventType, queue }) => [eventQueueUrl(eventType), queue.queueUrl])),
    },
    removalPolicy,
  });
  Grant.addToPrincipal({
    grantee: ingest.lambda,
    actions: ['secretsmanager:GetSecretValue'],
    resourceArns: [webhookSecret.secretArn],
  });
  for (const queue of [quarantine, ...pipelines.map((pipeline) => pipeline.queue)]) {
    queue.grant(ingest.lambda, 'sqs:SendMessage');
  }
  return ingest;
}

function addRoutes(api: HttpApi, ingest: Alias): void {
  const integration = new HttpLambdaIntegration('Ingest', ingest as IFunction, {
    // Below Argyle's 10 s. If the function hangs past its own time-out, the gateway answers 503 and Argyle retries.
    timeout: Duration.seconds(9),
  });
  const routes = [
    ...api.addRoutes({ path: webhookPath, methods: [HttpMethod.POST], integration }),
    ...api.addRoutes({ path: '/healthz', methods: [HttpMethod.GET], integration }),
  ];
  for (const route of routes) {
    Validations.of(route).acknowledge({
      id: 'AwsSolutions-APIG4',
      reason:
        'Argyle signs its webhooks and sends no credentials that an authorizer could check: ingest verifies the ' +
        'signature. GET /healthz reveals only that the function runs.',
    });
  }
}

function addStage(scope: Construct, api: HttpApi, removalPolicy: RemovalPolicy): HttpStage {
  const accessLogs = new LogGroup(scope, 'AccessLogs', { retention: RetentionDays.ONE_MONTH, removalPolicy });
  return new HttpStage(scope, 'Stage', {
    httpApi: api,
    stageName: '$default',
    autoDeploy: true,
    throttle: { rateLimit: requestsPerSecond, burstLimit: 2 * requestsPerSecond },
    accessLogSettings: {
      destination: new LogGroupLogDestination(accessLogs),
      format: AccessLogFormat.custom(JSON.stringify(accessLogFields)),
    },
  });
}

// The route key instead of the path, and no query string: any client can put any text into those two.
const accessLogFields = {
  requestId: '$context.requestId',
  time: '$context.requestTime',
  sourceIp: '$context.identity.sourceIp',
  routeKey: '$context.routeKey',
  status: '$context.status',
  responseLength: '$context.responseLength',
  responseLatencyMs: '$context.responseLatency',
  integrationStatus: '$context.integrationStatus',
  integrationLatencyMs: '$context.integrationLatency',
  integrationError: '$context.integrationErrorMessage',
};
