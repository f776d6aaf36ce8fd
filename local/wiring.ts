import { availableParallelism } from 'node:os';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { environment } from '../functions/environment.ts';
import type { ConsoleQueue } from './console.ts';
import { runEventSource } from './event-source.ts';
import type { StartEnvironment } from './execution-environment.ts';
import type { Route } from './gateway.ts';
import { functionOf, type Lambda, nameOf, startLambda } from './lambda.ts';
import { type Identities, type Properties, type Resource, resolve, type Template } from './template.ts';

/** A template together with what its resources became on this machine. */
export type LocalStack = { readonly template: Template; readonly identities: Identities };

// Execution environments of one function here, at most one a core: more only compile the same code once more. Lambda scales
// further. A mapping polls with one: batches fill better.
const requestConcurrency = Math.min(4, Math.max(2, availableParallelism()));
const usualConcurrency = 1;

/** What the functions are run with, beside the template. */
export type FunctionOptions = {
  readonly onLog: (functionName: string, line: string) => void;
  readonly standIns: Readonly<Record<string, string>>;
  readonly endpoints: Readonly<Record<string, string>>;
  readonly startEnvironment: StartEnvironment;
};

/**
 * Starts the template's functions, by logical id, with the template's environment and the engines' endpoints. `standIns`
 * replace values of the template that lead out of this machine.
 */
export async function startFunctions(
  { template, identities }: LocalStack,
  { onLog, standIns, endpoints, startEnvironment }: FunctionOptions,
): Promise<ReadonlyMap<string, Lambda>> {
  const routed = template
    .ofType('AWS::ApiGatewayV2::Integration')
    .map(({ properties }) => nameOf(resolve(properties.IntegrationUri, identities)));
  const starting = template.ofType('AWS::Lambda::Function').map(async (resource): Promise<[string, Lambda]> => {
    const { logicalId, properties } = resource;
    const variables = resolve<Record<string, string>>(properties.Environment?.Variables ?? {}, identities);
    const replaced = Object.fromEntries(Object.entries(standIns).filter(([name]) => name in variables));
    const lambda = await startLambda({
      name: logicalId,
      codeDirectory: template.codeDirectory(resource),
      handler: properties.Handler,
      environment: { ...variables, ...replaced, ...endpoints },
      timeoutSeconds: properties.Timeout,
      memoryMegabytes: properties.MemorySize,
      concurrency: routed.includes(logicalId) ? requestConcurrency : usualConcurrency,
      onLog: (line) => onLog(logicalId, line),
      startEnvironment,
    });
    return [logicalId, lambda];
  });
  const started = await Promise.allSettled(starting);
  const failed = started.find((result) => result.status === 'rejected');
  const functions = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  if (!failed) return new Map(functions);
  for (const [, lambda] of functions) lambda.stop();
  throw failed.reason;
}

/** Runs the template's event source mappings until `signal` aborts. */
export async function runEventSources(
  { template, identities }: LocalStack,
  functions: ReadonlyMap<string, Lambda>,
  sqs: SQSClient,
  signal: AbortSignal,
): Promise<void> {
  const running = template.ofType('AWS::Lambda::EventSourceMapping').map(async ({ properties }) => {
    const mapping = resolve<Properties>(properties, identities);
    await runEventSource({
      sqs,
      queueUrl: queueUrlOf(mapping.EventSourceArn, { template, identities }),
      queueArn: mapping.EventSourceArn,
      batchSize: mapping.BatchSize ?? 10,
      windowSeconds: mapping.MaximumBatchingWindowInSeconds ?? 0,
      reportsPartialFailures: mapping.FunctionResponseTypes?.includes('ReportBatchItemFailures') ?? false,
      concurrency: usualConcurrency,
      invoke: functionOf(mapping.FunctionName, functions).invoke,
      signal,
    });
  });
  await Promise.all(running);
}

/** The routes of the template's HTTP API, each with its integration's function. */
export function routesOf(
  { template, identities }: LocalStack,
  functions: ReadonlyMap<string, Lambda>,
): readonly Route[] {
  const integrations = new Map(
    template.ofType('AWS::ApiGatewayV2::Integration').map(({ logicalId, properties }) => [logicalId, properties]),
  );
  return template.ofType('AWS::ApiGatewayV2::Route').map(({ properties }) => {
    const { RouteKey, Target } = resolve<Properties>(properties, identities);
    const integration = resolve<Properties>(integrations.get(Target.replace('integrations/', '')), identities);
    return {
      key: RouteKey,
      timeoutMs: integration.TimeoutInMillis ?? 30_000,
      invoke: functionOf(integration.IntegrationUri, functions).invoke,
    };
  });
}

/** The table and queues that the console shows: what an event's worker reads from, and ingest's quarantine. */
export function consoleView(stack: LocalStack): {
  readonly tableName: string;
  readonly queues: readonly ConsoleQueue[];
} {
  const events = variablesOf(stack).flatMap(({ [environment.eventType]: event, [environment.queueUrl]: url }) =>
    event && url ? [{ event, url, deadLetterUrl: deadLetterUrlOf(url, stack) }] : [],
  );
  const [tableName = ''] = valuesOf(environment.tableName, stack);
  const quarantine = valuesOf(environment.quarantineQueueUrl, stack).map((url) => ({ event: 'quarantine', url }));
  return { tableName, queues: [...events, ...quarantine] };
}

/** The different values that the template's functions get for a variable. */
export function valuesOf(name: string, stack: LocalStack): readonly string[] {
  return [...new Set(variablesOf(stack).flatMap((variables) => variables[name] ?? []))];
}

function variablesOf({ template, identities }: LocalStack): readonly Record<string, string>[] {
  return template
    .ofType('AWS::Lambda::Function')
    .map(({ properties }) => resolve<Record<string, string>>(properties.Environment?.Variables ?? {}, identities));
}

function deadLetterUrlOf(queueUrl: string, stack: LocalStack): string {
  const queue = queues(stack).find(({ ref }) => ref === queueUrl);
  return queueUrlOf(
    resolve<Properties>(queue?.resource.properties.RedrivePolicy, stack.identities).deadLetterTargetArn,
    stack,
  );
}

function queueUrlOf(arn: string, stack: LocalStack): string {
  const queue = queues(stack).find((candidate) => candidate.arn === arn);
  if (!queue) throw new Error(`The template has no queue with the ARN ${arn}.`);
  return queue.ref;
}

function queues({ template, identities }: LocalStack): { resource: Resource; ref: string; arn: string }[] {
  return template.ofType('AWS::SQS::Queue').map((resource) => ({
    resource,
    ref: resolve({ Ref: resource.logicalId }, identities),
    arn: resolve({ 'Fn::GetAtt': [resource.logicalId, 'Arn'] }, identities),
  }));
}
