import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { environment } from '../../functions/aws/environment.ts';
import type { Lambda } from '../../tools/local/lambda.ts';
import { resolve } from '../../tools/local/template.ts';
import type { AlarmRule } from '../support/alarm-rules.ts';
import { type MetricSamples, printedSamples } from '../support/builders/metric-samples.ts';
import type { AwsCall, Disturbance } from '../support/emulators/aws-proxy.ts';
import type { ConnectedPipeline } from '../support/emulators/local-pipeline.ts';
import type { QueueState, WatchedPipeline } from '../support/emulators/watched-pipeline.ts';
import { newUpload, webhookBody } from '../support/fakes/argyle-sender.ts';

/** The parameters of a trigger. */
export type TriggerContext = {
  readonly pipeline: ConnectedPipeline;
  readonly metrics: MetricSamples;
  /** Decides what happens to the functions' next calls to AWS. Without an argument, all calls succeed again. */
  readonly disturb: (decide?: (call: AwsCall) => Disturbance | undefined) => void;
  readonly alarm: AlarmRule;
  /** The event type of the alarm, or the first of the catalogue for an alarm about all of them. */
  readonly event: string;
};

/** Causes the failure for which an alarm must fire. The test evaluates the alarm `laterMs` from now, then calls `cleanUp`. */
export type Trigger = (
  context: TriggerContext,
) => Promise<{ readonly laterMs?: number; readonly cleanUp?: () => unknown }>;

/** An error response in place of the emulator's response. */
export function refused(statusCode: number, errorType: string): Disturbance {
  return { kind: 'refuse', statusCode, errorType };
}

/** Posts `count` webhooks, each of a new upload. */
export async function postWebhooks({ metrics, event }: TriggerContext, count: number): Promise<void> {
  for (let sent = 0; sent < count; sent += 1) await metrics.post(webhookBody(event, newUpload()));
}

/** Puts `count` messages, each of a new upload, on the event's queue without ingest. */
export async function putOnQueue(
  { pipeline, event }: TriggerContext,
  count: number,
  receivedAt = new Date().toISOString(),
): Promise<void> {
  const attributes = { event, receivedAt, deliveryId: 'trigger' };
  for (let sent = 0; sent < count; sent += 1)
    await pipeline.putOnQueue(event, webhookBody(event, newUpload()), attributes);
}

/** Lets AWS and Argyle succeed again, and deletes the messages that wait for their next attempt. */
export async function endFailure({ pipeline, disturb, event }: TriggerContext): Promise<void> {
  disturb();
  await pipeline.argyle.clearFaults();
  await pipeline.purge(pipeline.queueOf(event).url);
}

/** The number of visible messages. Receiving them to count them would hide them for a moment. */
export async function visibleMessages({ sqs }: WatchedPipeline, QueueUrl: string): Promise<number> {
  const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['ApproximateNumberOfMessages'] });
  return Number((await sqs.send(command)).Attributes?.ApproximateNumberOfMessages);
}

/** The state of the event's queue on the console. */
export async function stateOfQueue({ pipeline, event }: TriggerContext): Promise<QueueState> {
  const found = (await pipeline.queueStates()).find((queue) => queue.event === event);
  if (!found) throw new Error(`There is no queue of ${event}.`);
  return found;
}

/** The sum of a metric in the log so far, of one service or of all. */
export function printedCount({ logLines }: WatchedPipeline, metric: string, service?: string): number {
  return logLines
    .flatMap(printedSamples)
    .filter(({ metricName, dimensions }) => metricName === metric && (!service || dimensions.service === service))
    .reduce((sum, { value }) => sum + value, 0);
}

export function workerOf({ pipeline, event }: TriggerContext): Lambda {
  return functionWith(pipeline, (variables) => variables[environment.eventType] === event);
}

export function ingestOf({ pipeline }: TriggerContext): Lambda {
  return functionWith(pipeline, (variables) => environment.quarantineQueueUrl in variables);
}

function functionWith(
  { template, identities, functions }: WatchedPipeline,
  matches: (variables: Readonly<Record<string, string>>) => boolean,
): Lambda {
  const found = template
    .ofType('AWS::Lambda::Function')
    .find(({ properties }) => matches(resolve(properties.Environment?.Variables ?? {}, identities)));
  const lambda = functions.get(found?.logicalId ?? '');
  if (!lambda) throw new Error('The template has no such function.');
  return lambda;
}
