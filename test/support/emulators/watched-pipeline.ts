import { setTimeout } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { eventTypes } from '../../../functions/domain/events.ts';
import type { StartEnvironment } from '../../../tools/local/lambda.ts';
import { startPipeline } from '../../../tools/local/pipeline.ts';
import type { FakeArgyleAccess } from '../../../tools/local/provision.ts';
import { consoleView } from '../../../tools/local/wiring.ts';
import { createSender } from '../fakes/argyle-sender.ts';
import { forbiddenCalls } from '../role-policies.ts';
import { type AwsCall, type CallInput, type Disturbance, startAwsProxy } from './aws-proxy.ts';
import { chosenEnvironment } from './runtime-client.ts';
import { storedState } from './stored-state.ts';

/** A queue in the answer of `/console/state`. */
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

/** The local pipeline, with functions through which a test observes and disturbs it. */
export type WatchedPipeline = Awaited<ReturnType<typeof startWatchedPipeline>>;

/** Decides what happens to a function's call to AWS. Undefined passes it on. */
export type Disturb = (call: AwsCall, input: CallInput) => Disturbance | undefined;

/**
 * Starts the local pipeline from a cloud assembly, on free ports. Long runs pass `readLine`, to use less memory: it is called
 * with each log line, `logLines` stays empty, and `calls` keeps equal calls once.
 */
export async function startWatchedPipeline(
  assembly: string,
  webhookSecret: string,
  disturb: Disturb = () => undefined,
  argyle?: FakeArgyleAccess,
  readLine?: (line: string) => void,
  startEnvironment: StartEnvironment = chosenEnvironment(),
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
    startEnvironment,
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
  const sender = createSender(pipeline.webhookUrl, webhookSecret);
  const stored = storedState({ dynamodb, sqs }, consoleView(pipeline));
  const fetchConsole = (path: string, init?: RequestInit) => fetch(new URL(path, pipeline.webhookUrl), init);
  const readState = async () => (await (await fetchConsole('/console/state')).json()) as ConsoleState;

  return {
    ...pipeline,
    ...stored,
    sqs,
    logLines,
    /** Every call of the functions to AWS so far. */
    calls,
    warnings,
    post: sender.post,
    fetchConsole,
    queueStates: async () => (await readState()).queues,
    /** All records with their status, by id. */
    readRecords: async () => new Map((await readState()).uploads.map((record) => [record.userUpload, record])),
    /** Resolves once the queues of all events contain no message, neither visible nor in flight. */
    drained: () =>
      until(async () => {
        // Does not use readState, which reads all records. There may be many.
        for (const event of eventTypes) if ((await stored.countMessages(event)) > 0) return false;
        return true;
      }),
    /** Stops everything. Throws when a function has made a call that its role does not allow. */
    stop: async () => {
      sender.close();
      await pipeline.stop();
      for (const proxy of proxies) await proxy.stop();
      const forbidden = forbiddenCalls(calls, pipeline);
      if (forbidden.length > 0) throw new Error(`No role allows these calls:\n${forbidden.join('\n')}`);
    },
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

/** Resolves once the condition is true. Only the test's own time-out limits it. */
export async function until(isTrue: () => Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await setTimeout(20);
}
