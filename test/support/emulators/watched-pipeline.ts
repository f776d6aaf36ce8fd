import { setTimeout } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { eventTypes } from '../../../functions/domain/events.ts';
import { type ArgyleStandIn, startPipeline } from '../../../tools/local/pipeline.ts';
import { consoleView } from '../../../tools/local/wiring.ts';
import { createSender } from '../fakes/argyle-sender.ts';
import { forbiddenCalls } from '../role-policies.ts';
import { type AwsCall, type CallInput, type Disturbance, startAwsProxy } from './aws-proxy.ts';
import { chosenEnvironment } from './runtime-client.ts';
import { storedState } from './stored-state.ts';

/** What `/console/state` says of one queue. */
export type QueueState = {
  readonly event: string;
  readonly visible: number;
  readonly inFlight: number;
  readonly dead: number;
};

type ConsoleState = {
  readonly uploads: readonly (Readonly<Record<string, unknown>> & { readonly userUpload: string })[];
  readonly queues: readonly QueueState[];
};

/** The local pipeline with the ways in which a test looks at it, and disturbs it, from outside. */
export type WatchedPipeline = Awaited<ReturnType<typeof startWatchedPipeline>>;

/** Decides what happens to a call of a function to AWS; undefined passes it on. */
export type Disturb = (call: AwsCall, input: CallInput) => Disturbance | undefined;

/**
 * Starts `npm start`'s own code on free ports, from a cloud assembly. A run too long to keep all that is printed and called
 * gives `readLine`: it is told of each line, `logLines` stays empty, and of equal calls the first is kept.
 */
export async function startWatchedPipeline(
  assembly: string,
  webhookSecret: string,
  disturb: Disturb = () => undefined,
  argyle?: ArgyleStandIn,
  readLine?: (line: string) => void,
) {
  const logLines: string[] = [];
  const calls: AwsCall[] = [];
  const keepLine = readLine ?? ((line: string) => logLines.push(line));
  const keepCall = readLine ? distinctInto(calls) : (call: AwsCall) => calls.push(call);
  const proxies: Awaited<ReturnType<typeof startAwsProxy>>[] = [];
  const warnings: string[] = [];
  const pipeline = await startPipeline({
    assembly,
    ports: { gateway: 0, dynamodb: 0, sqs: 0 },
    webhookSecret,
    ...(argyle && { argyle }),
    onLog: (functionName, line) => keepLine(`${functionName} ${line}`),
    onWarning: (text) => warnings.push(text),
    startEnvironment: chosenEnvironment(),
    interpose: async (service, endpoint) => {
      const proxy = await startAwsProxy(service, endpoint, (call, input) => {
        keepCall(call);
        return disturb(call, input);
      });
      proxies.push(proxy);
      return proxy.endpoint;
    },
  });
  const client = { region: 'us-east-1', credentials: { accessKeyId: 'any', secretAccessKey: 'any' } };
  const dynamodb = new DynamoDBClient({ ...client, endpoint: pipeline.dynamodbEndpoint });
  const sqs = new SQSClient({ ...client, endpoint: pipeline.sqsEndpoint, useQueueUrlAsEndpoint: false });
  const view = consoleView(pipeline);
  const sender = createSender(pipeline.webhookUrl, webhookSecret);
  const stop = async () => {
    sender.close();
    await pipeline.stop();
    for (const proxy of proxies) await proxy.stop();
    // Whatever a suite made the functions do: their roles must allow it.
    const forbidden = forbiddenCalls(calls, pipeline);
    if (forbidden.length > 0) throw new Error(`No role allows these calls:\n${forbidden.join('\n')}`);
  };

  const fetchConsole = (path: string, init?: RequestInit) => fetch(new URL(path, pipeline.webhookUrl), init);
  const readState = async () => (await (await fetchConsole('/console/state')).json()) as ConsoleState;
  const stored = storedState({ dynamodb, sqs }, view);

  return {
    ...pipeline,
    ...stored,
    stop,
    sqs,
    logLines,
    /** Every call that the functions made to AWS so far. */
    calls,
    warnings,
    post: sender.post,
    fetchConsole,
    queueStates: async () => (await readState()).queues,
    /** All records with their status, by id. */
    readRecords: async () => new Map((await readState()).uploads.map((record) => [record.userUpload, record])),
    /** Resolves once no queue of an event holds a message any more, whether visible or in flight. */
    drained: () =>
      until(async () => {
        // One after the other, and no look at the records: they may be many.
        for (const event of eventTypes) if ((await stored.countMessages(event)) > 0) return false;
        return true;
      }),
  };
}

function distinctInto(calls: AwsCall[]): (call: AwsCall) => void {
  const seen = new Set<string>();
  return (call) => {
    const text = Object.values(call).join(' ');
    if (seen.has(text)) return;
    seen.add(text);
    calls.push(call);
  };
}

/** Resolves once the condition holds; the test's own time-out is the only limit. */
export async function until(isTrue: () => Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await setTimeout(20);
}
