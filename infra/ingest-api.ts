import { Duration, type RemovalPolicy, Validations } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import { HttpApi, HttpMethod, HttpStage, LogGroupLogDestination } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { type Alarm, ComparisonOperator, MathExpression, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { Alias, IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { environment, eventQueueUrl } from '../functions/aws/environment.ts';
import { ingestMetrics, ingestService, secretUnreadableMetric } from '../functions/domain/metric-names.ts';
import { customMetric, sumOf } from './custom-metric.ts';
import { type EventPipeline, queueDefaults } from './event-pipeline.ts';
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

/** The public endpoint: an HTTP API, the ingest function, and the quarantine queue for signed messages that it cannot read. */
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

    this.serverErrors = watchResponses(this, props.monitoring, stage);
    watchVerification(this, props.monitoring);
    watchStoring(this, props.monitoring, this.quarantine);
    watchLoad(this, props.monitoring, stage, ingest.lambda);
    if (props.silenceHours !== undefined) watchSilence(this, props.monitoring, props.silenceHours);
  }
}

// Far above the traffic of any customer. The gateway answers further requests with 429, which Argyle retries.
const requestsPerSecond = 1_000;
const webhookPath = '/webhooks/argyle';
const row = ingestService;
const minute = Duration.minutes(1);

function createIngest(
  scope: Construct,
  { webhookSecret, pipelines, removalPolicy }: IngestApiProps,
  quarantine: Queue,
): UploadsFunction {
  const ingest = new UploadsFunction(scope, 'Function', {
    entry: 'ingest',
    description: 'Verifies a webhook and queues it before it answers.',
    service: ingestService,
    // Below the gateway's 9 s, so that the function ends before the gateway does.
    timeout: Duration.seconds(8),
    environment: {
      [environment.webhookSecretId]: webhookSecret.secretArn,
      [environment.quarantineQueueUrl]: quarantine.queueUrl,
      ...Object.fromEntries(pipelines.map(({ eventType, queue }) => [eventQueueUrl(eventType), queue.queueUrl])),
    },
    removalPolicy,
  });
  ingest.allow(webhookSecret.secretArn, 'secretsmanager:GetSecretValue');
  for (const { queueArn } of [quarantine, ...pipelines.map(({ queue }) => queue)])
    ingest.allow(queueArn, 'sqs:SendMessage');
  return ingest;
}

function addRoutes(api: HttpApi, ingest: Alias): void {
  const integration = new HttpLambdaIntegration('Ingest', ingest as IFunction, {
    // Below Argyle's 10 s. If the function does not answer in time, the gateway answers 503 and Argyle retries.
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

// Contains the route key instead of the path, and no query string, because clients can put any text into path and query string.
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

function watchResponses(scope: Construct, monitoring: Monitoring, stage: HttpStage): Alarm {
  const latency = (statistic: string) => stage.metricLatency({ period: minute, statistic, label: statistic });
  monitoring.graph(row, 'Answers a minute', {
    left: Object.values(ingestMetrics).map((name) => customMetric(scope, ingestService, name)),
    stacked: true,
  });
  monitoring.graph(row, 'Latency, ms', { left: [latency('p50'), latency('p99')] });
  return monitoring.watch(scope, 'ServerErrors', {
    row,
    metric: stage.metricServerError({ period: Duration.minutes(5), statistic: Stats.SUM }),
    // Argyle retries once, after 30 s. The second error in five minutes may be that retry, in which case the event is lost.
    threshold: 2,
    failureImpact: "Webhooks are answered with errors: an event is lost if Argyle's one retry fails too.",
  });
}

function watchVerification(scope: Construct, monitoring: Monitoring): void {
  monitoring.watch(scope, 'SecretUnreadable', {
    row,
    metric: customMetric(scope, ingestService, secretUnreadableMetric),
    // The SDK has already tried twice, and a secret rarely becomes readable again unless an operator repairs the cause.
    threshold: 1,
    failureImpact:
      "Webhooks that cannot be verified are answered 503: an event is lost if Argyle's retry after 30 seconds fails too.",
  });
  monitoring.watch(scope, 'Refusals', {
    row,
    metric: customMetric(scope, ingestService, ingestMetrics.bad_signature, { period: Duration.minutes(15) }),
    // Unrelated clients that try the URL send single requests. A subscription with a wrong secret fails for every document.
    threshold: 10,
    failureImpact:
      'Webhooks have wrong signatures: forged ones do no harm, but if Argyle signs with another secret, all events are lost.',
  });
  monitoring.watch(scope, 'AllRefused', {
    row,
    metric: refusedWhileNoneSigned(scope),
    // Argyle does not retry after a 401: each refused webhook is a lost event.
    threshold: 1,
    failureImpact:
      'For a day, every request was refused for its signature: if Argyle signs with another secret, all events are lost.',
  });
}

// Counts the refusals of a day without a valid signature, so that it also works for one webhook a day. A request without a signature
// counts as well: Argyle probably sends none for a subscription without a secret. `Refusals` is sooner when there are many.
function refusedWhileNoneSigned(scope: Construct): MathExpression {
  // Longer than a night without uploads, in which a stranger may send a request. CloudWatch moves this period along with the time
  // ("alarm evaluation window" in CloudWatch's user guide, read 2026-11-28).
  const period = Duration.hours(24);
  const { accepted, quarantined, too_large, bad_signature } = ingestMetrics;
  const metric = (name: string) => customMetric(scope, ingestService, name, { period });
  const signed = sumOf([accepted, quarantined, too_large].map(metric), 'signed', period);
  return new MathExpression({
    expression: `IF(${signed.expression} == 0, refused, 0)`,
    usingMetrics: { ...signed.usingMetrics, refused: metric(bad_signature) },
    label: 'refused while no signature was valid',
    period,
  });
}

function watchStoring(scope: Construct, monitoring: Monitoring, quarantine: Queue): void {
  monitoring.watchMessages(scope, 'Quarantined', {
    row,
    queue: quarantine,
    failureImpact:
      'Webhooks with a valid signature could not be read: no record contains them until an operator handles them.',
  });
  monitoring.watch(scope, 'TooLarge', {
    row,
    metric: customMetric(scope, ingestService, ingestMetrics.too_large),
    threshold: 1,
    failureImpact:
      'A webhook with a valid signature exceeded 512 KiB and was not stored: its event is lost unless it is looked up at Argyle.',
  });
}

function watchLoad(scope: Construct, monitoring: Monitoring, stage: HttpStage, ingest: IFunction): void {
  monitoring.watch(scope, 'NearRequestLimit', {
    row,
    metric: stage.metricCount({ period: minute, statistic: Stats.SUM }),
    // HTTP APIs have no metric for throttled requests, and 4xx also counts the 404 answers to unrelated clients. The
    // alarm therefore fires before the gateway throttles.
    threshold: 0.8 * 60 * requestsPerSecond,
    failureImpact: 'Requests approach the limit: above it, webhooks are answered 429 and retried only once.',
  });
  monitoring.watch(scope, 'Throttled', {
    row,
    metric: ingest.metricThrottles({ period: Duration.minutes(5), statistic: Stats.SUM }),
    // Argyle retries each webhook. Ten throttles in five minutes are not a short burst: the account's concurrency is used up.
    threshold: 10,
    failureImpact: 'Lambda throttles ingest: webhooks are answered with errors and retried only once.',
  });
}

function watchSilence(scope: Construct, monitoring: Monitoring, hours: number): void {
  monitoring.watch(scope, 'Silence', {
    row,
    metric: customMetric(scope, ingestService, ingestMetrics.accepted, { period: Duration.hours(1) }),
    comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
    threshold: 1,
    periods: hours,
    failureImpact:
      'No webhook was accepted for longer than expected: Argyle may send none, or may send them to another URL.',
    // Ingest writes no metric when no webhook arrives, and that is the condition to detect.
    whenMissing: TreatMissingData.BREACHING,
  });
}
