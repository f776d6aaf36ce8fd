import type { SQSClient } from '@aws-sdk/client-sqs';
import { environment } from '../../functions/aws/environment.ts';
import type { ConsoleQueue } from '../console/state.ts';
import { runEventSource } from './event-source.ts';
import type { Route } from './gateway.ts';
import { functionOf, type Lambda } from './lambda.ts';
import { type LocalStack, type Properties, type Resource, resolve } from './template.ts';

// A mapping polls with one: batches fill better.
const pollers = 1;

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
      concurrency: pollers,
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

/** The URL of the template's queue with an ARN; throws when there is none. */
export function queueUrlOf(arn: string, stack: LocalStack): string {
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
