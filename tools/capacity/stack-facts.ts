import { environment } from '../../functions/aws/environment.ts';
import type { Properties, Resource, Template } from '../local/template.ts';
import { type EventSource, eventSourcesOf, referenced } from './event-sources.ts';

/** What the synthesized template says of what is billed or limited. */
export type StackFacts = {
  readonly template: Template;
  readonly ingest: FunctionFacts;
  /** Of the workers, which are alike. */
  readonly worker: FunctionFacts;
  /** One for each event type. */
  readonly eventSources: readonly EventSource[];
  /** How many of the workers fetch the document from Argyle's API. */
  readonly fetching: number;
  readonly table: { readonly indexes: number; readonly isRecoverable: boolean };
  readonly stage: { readonly perSecond: number; readonly burst: number; readonly accessLogFormat: string | undefined };
};

/** What a function costs. */
export type FunctionFacts = {
  readonly gigabytes: number;
  readonly duration: 'lambdaArm' | 'lambdaX86';
  readonly isTraced: boolean;
  /** What Lambda itself prints of each invocation: lines of text or of JSON, or nothing. */
  readonly platformLines: 'text' | 'json' | 'none';
};

/** Reads them; throws a sentence when the template is not of the shape that is priced. */
export function readStackFacts(template: Template): StackFacts {
  const eventSources = eventSourcesOf(template);
  const ingest = template
    .ofType('AWS::Lambda::Function')
    .find((lambda) => environment.quarantineQueueUrl in variablesOf(lambda));
  const workers = eventSources.map(({ worker }) => worker);
  const table = template.ofType('AWS::DynamoDB::Table').find(({ properties }) => properties.GlobalSecondaryIndexes);
  const [stage] = template.ofType('AWS::ApiGatewayV2::Stage');
  const [worker] = workers;
  if (!ingest || !worker || !table || !stage)
    throw new Error(
      `The template of ${template.stackName} has no ingest, no worker, no table or no stage to be priced.`,
    );
  return {
    template,
    ingest: functionFacts(ingest),
    worker: functionFacts(worker),
    eventSources,
    fetching: workers.filter((lambda) => environment.argyleCredentialsId in variablesOf(lambda)).length,
    table: tableFacts(table.properties),
    stage: stageFacts(stage.properties),
  };
}

/** The environment variables of a function, unresolved. */
export function variablesOf({ properties }: Resource): Readonly<Record<string, unknown>> {
  return properties.Environment?.Variables ?? {};
}

/** The function that something of the template points to. */
export function functionAt(template: Template, reference: unknown): Resource | undefined {
  return referenced(template, 'AWS::Lambda::Function', reference);
}

function functionFacts({ properties }: Resource): FunctionFacts {
  const { LogFormat = 'Text', SystemLogLevel = 'INFO' } = properties.LoggingConfig ?? {};
  const isJson = LogFormat === 'JSON';
  return {
    gigabytes: (properties.MemorySize ?? 128) / 1_024,
    duration: properties.Architectures?.includes('arm64') ? 'lambdaArm' : 'lambdaX86',
    isTraced: properties.TracingConfig?.Mode === 'Active',
    platformLines: isJson && SystemLogLevel === 'WARN' ? 'none' : isJson ? 'json' : 'text',
  };
}

function tableFacts(properties: Properties): StackFacts['table'] {
  return {
    indexes: properties.GlobalSecondaryIndexes.length,
    isRecoverable: properties.PointInTimeRecoverySpecification?.PointInTimeRecoveryEnabled === true,
  };
}

function stageFacts(properties: Properties): StackFacts['stage'] {
  const { ThrottlingRateLimit, ThrottlingBurstLimit } = properties.DefaultRouteSettings ?? {};
  return {
    perSecond: ThrottlingRateLimit ?? Number.POSITIVE_INFINITY,
    burst: ThrottlingBurstLimit ?? Number.POSITIVE_INFINITY,
    accessLogFormat: properties.AccessLogSettings?.Format,
  };
}
