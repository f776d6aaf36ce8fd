import type { SQSClient } from '@aws-sdk/client-sqs';
import { environment } from '../../functions/aws/environment.ts';
import type { ConsoleQueue } from '../console/state.ts';
import { runEventSource } from './event-source.ts';
import type { Route } from './gateway.ts';
import { functionOf, type Lambda } from './lambda.ts';
import { type LocalStack, type Properties, resolve } from './template.ts';

/** A schedule of the template: the function that it invokes, and the event. */
export type Schedule = { readonly lambda: Lambda; readonly input: unknown };

/** Runs the template's event source mappings until `signal` aborts. */
export async function runEventSources(
  stack: LocalStack,
  functions: ReadonlyMap<string, Lambda>,
  sqs: SQSClient,
  signal: AbortSignal,
): Promise<void> {
  const running = stack.template.ofType('AWS::Lambda::EventSourceMapping').map(async ({ properties }) => {
    const mapping = resolve<Properties>(properties, stack.identities);
    await runEventSource({
      sqs,
      queueUrl: queueUrlOf(mapping.EventSourceArn, stack),
      queueArn: mapping.EventSourceArn,
      batchSize: mapping.BatchSize ?? 10,
      windowSeconds: mapping.MaximumBatchingWindowInSeconds ?? 0,
      reportsPartialFailures: mapping.FunctionResponseTypes?.includes('ReportBatchItemFailures') ?? false,
      invoke: functionOf(mapping.FunctionName, functions).invoke,
      signal,
    });
  });
  await Promise.all(running);
}

/** Returns the routes of the template's HTTP API, each with the function of its integration. */
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

/** Returns the template's schedules by logical id. The local pipeline never starts them on its own. */
export function schedulesOf(
  { template, identities }: LocalStack,
  functions: ReadonlyMap<string, Lambda>,
): ReadonlyMap<string, Schedule> {
  const schedules = template.ofType('AWS::Scheduler::Schedule').map(({ logicalId, properties }) => {
    const lambda = functionOf(resolve(properties.Target.Arn, identities), functions);
    return [logicalId, { lambda, input: JSON.parse(properties.Target.Input) }] as const;
  });
  return new Map(schedules);
}

/** Returns the table and the queues that the console shows: the queue of each event's worker, and the quarantine queue. */
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

/** Returns the distinct values of an environment variable in the template's functions. */
export function valuesOf(name: string, stack: LocalStack): readonly string[] {
  return [...new Set(variablesOf(stack).flatMap((variables) => variables[name] ?? []))];
}

/** Returns the URL of the template's queue with this ARN; throws when there is none. */
export function queueUrlOf(arn: string, stack: LocalStack): string {
  const queue = queuesOf(stack).find((candidate) => candidate.arn === arn);
  if (!queue) throw new Error(`The template has no queue with the ARN ${arn}.`);
  return queue.url;
}

function variablesOf({ template, identities }: LocalStack): readonly Record<string, string>[] {
  return template
    .ofType('AWS::Lambda::Function')
    .map(({ properties }) => resolve<Record<string, string>>(properties.Environment?.Variables ?? {}, identities));
}

function deadLetterUrlOf(queueUrl: string, stack: LocalStack): string {
  const queue = queuesOf(stack).find(({ url }) => url === queueUrl);
  return queueUrlOf(resolve(queue?.redrivePolicy?.deadLetterTargetArn, stack.identities), stack);
}

function queuesOf({ template, identities }: LocalStack) {
  return template.ofType('AWS::SQS::Queue').map(({ logicalId, properties }) => ({
    url: resolve({ Ref: logicalId }, identities),
    arn: resolve({ 'Fn::GetAtt': [logicalId, 'Arn'] }, identities),
    redrivePolicy: properties.RedrivePolicy as Properties | undefined,
  }));
}
