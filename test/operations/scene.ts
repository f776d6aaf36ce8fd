import { GetQueueAttributesCommand, PurgeQueueCommand } from '@aws-sdk/client-sqs';
import { environment } from '../../functions/aws/environment.ts';
import { workerMetrics } from '../../functions/domain/metric-names.ts';
import type { Lambda } from '../../tools/local/lambda.ts';
import { resolve } from '../../tools/local/template.ts';
import type { AlarmRule } from '../support/alarm-rules.ts';
import { type MetricSamples, printedSamples } from '../support/builders/metric-samples.ts';
import type { AwsCall, Disturbance } from '../support/emulators/aws-proxy.ts';
import type { ConnectedPipeline } from '../support/emulators/local-pipeline.ts';
import type { QueueState, WatchedPipeline } from '../support/emulators/watched-pipeline.ts';

/** Where an alarm is provoked. */
export type Scene = {
  readonly pipeline: ConnectedPipeline;
  readonly metrics: MetricSamples;
  /** Decides what happens to the functions' calls to AWS from now on; without an argument nothing. */
  readonly disturb: (decide?: (call: AwsCall) => Disturbance | undefined) => void;
  readonly alarm: AlarmRule;
  /** The event that the alarm is about; the first of the catalogue if it is about all. */
  readonly event: string;
};

/** What was done. `laterMs`: how much later the alarm is looked at; `mend` ends the trouble. */
export type Provoked = { readonly laterMs?: number; readonly mend?: () => unknown };

/** How kinds of alarm are made to fire, by their section in the runbook. */
export type Provocations = Readonly<Record<string, (scene: Scene) => Promise<Provoked>>>;

/** An answer of AWS instead of the engine's. */
export function refused(statusCode: number, errorType: string): Disturbance {
  return { kind: 'refuse', statusCode, errorType };
}

/** Puts a body on the queue of an event, past ingest. */
export async function putOnQueue(pipeline: WatchedPipeline, event: string, body: string): Promise<void> {
  await pipeline.putOnQueue(event, body, { event, receivedAt: new Date().toISOString(), deliveryId: 'provocation' });
}

/** Takes all messages away that a queue holds. */
export async function purge({ sqs }: WatchedPipeline, QueueUrl: string): Promise<void> {
  await sqs.send(new PurgeQueueCommand({ QueueUrl }));
}

/** How many messages a queue holds that nobody works on. Whoever receives them to count them hides them for a moment. */
export async function visibleMessages({ sqs }: WatchedPipeline, QueueUrl: string): Promise<number> {
  const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['ApproximateNumberOfMessages'] });
  return Number((await sqs.send(command)).Attributes?.ApproximateNumberOfMessages);
}

/** Lets AWS and Argyle answer again, and takes away what would wait for its next try. */
export async function endTrouble({ pipeline, disturb, event }: Scene): Promise<void> {
  disturb();
  await pipeline.argyle.clearFaults();
  await purge(pipeline, pipeline.queueOf(event).url);
}

/** What the console says of the queue of an event. */
export async function stateOfQueue(pipeline: WatchedPipeline, event: string): Promise<QueueState> {
  const found = (await pipeline.queueStates()).find((queue) => queue.event === event);
  if (!found) throw new Error(`There is no queue of ${event}.`);
  return found;
}

/** The sum of a metric that one function, or any, has printed so far. */
export function printedCount({ logLines }: WatchedPipeline, metric: string, service?: string): number {
  return logLines
    .flatMap(printedSamples)
    .filter(({ metricName, dimensions }) => metricName === metric && (!service || dimensions.service === service))
    .reduce((sum, { value }) => sum + value, 0);
}

/** How many records of an event failed so far and will be tried again. */
export function failedRecords(pipeline: WatchedPipeline, event: string): number {
  return printedCount(pipeline, workerMetrics.retryable, event);
}

/** The worker of an event. */
export function workerOf(pipeline: WatchedPipeline, event: string): Lambda {
  return functionWith(pipeline, (variables) => variables[environment.eventType] === event);
}

/** The function behind the webhook's address. */
export function ingestOf(pipeline: WatchedPipeline): Lambda {
  return functionWith(pipeline, (variables) => environment.quarantineQueueUrl in variables);
}

function functionWith(
  { template, identities, functions }: WatchedPipeline,
  isMeant: (variables: Readonly<Record<string, string>>) => boolean,
): Lambda {
  const found = template
    .ofType('AWS::Lambda::Function')
    .find(({ properties }) =>
      isMeant(resolve<Record<string, string>>(properties.Environment?.Variables ?? {}, identities)),
    );
  const lambda = functions.get(found?.logicalId ?? '');
  if (!lambda) throw new Error('The template has no such function.');
  return lambda;
}
