import { environment } from '../../functions/aws/environment.ts';
import type { Resource, Template } from '../local/template.ts';

/** The parts of the synthesized template that determine costs and limits. */
export type StackFacts = ReturnType<typeof readStackFacts>;

// The maximum of one mapping without a setting.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html, read 2026-11-24.
const defaultMaxConcurrency = 1_000;

/** Reads the facts from a template. Throws when the template lacks a resource that is priced by name. */
export function readStackFacts(template: Template) {
  const functions = template.ofType('AWS::Lambda::Function');
  const ingest = functions.find((lambda) => hasVariable(lambda, environment.quarantineQueueUrl));
  const workers = functions.filter((lambda) => hasVariable(lambda, environment.eventType));
  const fetching = workers.filter((lambda) => hasVariable(lambda, environment.argyleCredentialsId));
  const table = template.ofType('AWS::DynamoDB::Table').find(({ properties }) => properties.GlobalSecondaryIndexes);
  const [worker] = workers;
  const [stage] = template.ofType('AWS::ApiGatewayV2::Stage');
  if (!ingest || !worker || !table || !stage)
    throw new Error(`The template of ${template.stackName} lacks ingest, a worker, the table or the API's stage.`);
  const { DefaultRouteSettings: throttle = {}, AccessLogSettings: accessLog } = stage.properties;
  return {
    template,
    ingest: functionFacts(ingest),
    /** All workers have the same settings. */
    worker: functionFacts(worker),
    /** One for each event type. */
    eventSources: readEventSources(template),
    /** The share of webhooks after which a worker fetches the document from Argyle's API. */
    fetchingShare: fetching.length / workers.length,
    indexes: Number(table.properties.GlobalSecondaryIndexes.length),
    isRecoverable: table.properties.PointInTimeRecoverySpecification?.PointInTimeRecoveryEnabled === true,
    requestsPerSecond: Number(throttle.ThrottlingRateLimit ?? Number.POSITIVE_INFINITY),
    requestBurst: Number(throttle.ThrottlingBurstLimit ?? Number.POSITIVE_INFINITY),
    accessLogFormat: accessLog?.Format as string | undefined,
    /** An alarm on an expression is billed for each metric of the expression. */
    alarmMetrics: template
      .ofType('AWS::CloudWatch::Alarm')
      .flatMap(({ properties: { Metrics = [{ MetricStat: 'its only one' }] } }) => Metrics)
      .filter(({ MetricStat }) => MetricStat).length,
    count: (type: string) => template.ofType(type).length,
  };
}

function functionFacts({ properties }: Resource) {
  const { LogFormat, SystemLogLevel } = properties.LoggingConfig ?? {};
  const isArm: boolean = properties.Architectures?.includes('arm64') ?? false;
  return {
    gigabytes: Number(properties.MemorySize ?? 128) / 1_024,
    timePrice: isArm ? ('lambdaArm' as const) : ('lambdaX86' as const),
    /** Whether Lambda logs START, END and REPORT of each invocation. */
    hasPlatformLogs: LogFormat !== 'JSON' || SystemLogLevel !== 'WARN',
  };
}

function readEventSources(template: Template) {
  return template.ofType('AWS::Lambda::EventSourceMapping').map(({ logicalId, properties }) => {
    const worker = referenced(template, 'AWS::Lambda::Function', properties.FunctionName);
    const queue = referenced(template, 'AWS::SQS::Queue', properties.EventSourceArn);
    if (!queue || !worker || !hasVariable(worker, environment.eventType))
      throw new Error(`The price of ${logicalId} is unknown: it connects no queue to a worker.`);
    return {
      batchSize: Number(properties.BatchSize ?? 10),
      windowMs: Number(properties.MaximumBatchingWindowInSeconds ?? 0) * 1_000,
      maxConcurrency: Number(properties.ScalingConfig?.MaximumConcurrency ?? defaultMaxConcurrency),
      maxReceiveCount: Number(queue.properties.RedrivePolicy?.maxReceiveCount ?? Number.POSITIVE_INFINITY),
    };
  });
}

// Finds the resource that a value refers to, at any depth of nesting, and also through a function's alias.
function referenced(template: Template, type: string, value: unknown): Resource | undefined {
  const text = JSON.stringify(value);
  const isReferenced = ({ logicalId }: Resource) => text.includes(`"${logicalId}"`);
  const alias = template.ofType('AWS::Lambda::Alias').find(isReferenced);
  return alias ? referenced(template, type, alias.properties.FunctionName) : template.ofType(type).find(isReferenced);
}

function hasVariable({ properties }: Resource, name: string): boolean {
  return name in (properties.Environment?.Variables ?? {});
}
