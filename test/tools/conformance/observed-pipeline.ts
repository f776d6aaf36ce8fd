import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { eventTypes } from '../../../functions/domain/events.ts';
import { decodeBody } from '../../../functions/domain/message-body.ts';
import type { Observer, Restore } from '../../../tools/conformance/observer.ts';
import type { AwsService } from '../../../tools/local/emulators.ts';
import { nameOf } from '../../../tools/local/lambda.ts';
import { createSecret } from '../../../tools/local/secrets-manager.ts';
import { resolve } from '../../../tools/local/template.ts';
import type { AwsCall, CallInput, Disturbance } from '../../support/emulators/aws-proxy.ts';
import {
  type Disturb,
  startWatchedPipeline,
  until,
  type WatchedPipeline,
} from '../../support/emulators/watched-pipeline.ts';

type Attributes = Readonly<Record<string, { readonly StringValue?: string | undefined } | undefined>>;

/** Starts the local pipeline with a complete observer of it. */
export async function startObservedPipeline(assembly: string, secret: string) {
  const sends = watchSends();
  const secrets = createStall('secretsmanager');
  const onCall: Disturb = (call, input) => secrets.onCall(call) ?? sends.onCall(call, input);
  const pipeline = await startWatchedPipeline(assembly, secret, onCall);
  const quarantineUrl = pipeline.queueOf('quarantine').url;
  const dead = new Map(
    eventTypes.map((event) => [event, createQueueReader(pipeline, pipeline.queueOf(event).deadLetterUrl)]),
  );
  const observer: Required<Observer> = {
    readRecord: pipeline.readRecord,
    settled: pipeline.drained,
    readQueued: async () => sends.sent.filter(({ queueUrl }) => queueUrl !== quarantineUrl).map(({ body }) => body),
    readQuarantine: createQueueReader(pipeline, quarantineUrl),
    readDeadLetters: async (event) => (await dead.get(event)?.()) ?? [],
    enqueue: async (event, bodies) => {
      const attributes = { event, receivedAt: new Date().toISOString(), deliveryId: 'conformance' };
      await Promise.all(bodies.map((body) => pipeline.putOnQueue(event, body, attributes)));
    },
    readLog: async () => pipeline.logLines,
    takeQueueDown: async () => sends.change('down'),
    holdQueue: async () => {
      const release = sends.change('held');
      return { reached: sends.reached(), release };
    },
    takeSecretAway: () => takeSecretAway(pipeline),
    stallSecretStore: async () => secrets.stall(),
  };
  return { pipeline, observer };
}

// Records the messages that the functions send, and makes their calls fail or hang.
function watchSends() {
  const sent: { readonly queueUrl: string; readonly body: Uint8Array }[] = [];
  let mode: 'up' | 'down' | 'held' = 'up';
  let onHeld = () => {};
  const onCall = ({ service, action, resource }: AwsCall, input: CallInput): Disturbance | undefined => {
    if (service !== 'sqs' || action !== 'SendMessage') return undefined;
    if (mode === 'down') return { kind: 'drop' };
    sent.push({ queueUrl: resource, body: bodyOf(String(input.MessageBody), input.MessageAttributes as Attributes) });
    if (mode === 'up') return undefined;
    onHeld();
    return { kind: 'stall' };
  };
  const change = (next: typeof mode): Restore => {
    mode = next;
    return async () => {
      mode = 'up';
    };
  };
  const reached = () =>
    new Promise<void>((resolve) => {
      onHeld = resolve;
    });
  return { sent, onCall, change, reached };
}

// Prevents a service from answering the functions' calls.
function createStall(service: AwsService) {
  let isStalled = false;
  return {
    onCall: (call: AwsCall): Disturbance | undefined =>
      isStalled && call.service === service ? { kind: 'stall' } : undefined,
    stall: (): Restore => {
      isStalled = true;
      return async () => {
        isStalled = false;
      };
    },
  };
}

// Returns every body that was ever in a queue. Received messages stay invisible for an hour, so each read adds new ones.
function createQueueReader({ sqs }: WatchedPipeline, QueueUrl: string) {
  const bodies: Uint8Array[] = [];
  return async (): Promise<readonly Uint8Array[]> => {
    for (;;) {
      const command = new ReceiveMessageCommand({
        QueueUrl,
        VisibilityTimeout: 3_600,
        MaxNumberOfMessages: 10,
        MessageAttributeNames: ['All'],
      });
      const { Messages = [] } = await sqs.send(command);
      if (Messages.length === 0) return bodies;
      bodies.push(...Messages.map(({ Body = '', MessageAttributes = {} }) => bodyOf(Body, MessageAttributes)));
    }
  };
}

function bodyOf(text: string, attributes: Attributes): Uint8Array {
  return decodeBody(text, attributes.encoding?.StringValue) ?? Buffer.from('in an unknown encoding');
}

// Ingest caches its secret for a minute, so its execution environments are replaced too.
async function takeSecretAway(pipeline: WatchedPipeline): Promise<Restore> {
  const kept = new Map(pipeline.secrets);
  for (const arn of kept.keys()) pipeline.secrets.set(arn, createSecret());
  const ingestNames = pipeline.template
    .ofType('AWS::ApiGatewayV2::Integration')
    .map(({ properties }) => nameOf(resolve<string>(properties.IntegrationUri, pipeline.identities)));
  const pids = () => ingestNames.flatMap((name) => pipeline.functions.get(name)?.pids() ?? []);
  const stopped = pids();
  for (const pid of stopped) process.kill(pid, 'SIGKILL');
  await until(async () => !pids().some((pid) => stopped.includes(pid)));
  return async () => {
    for (const [arn, stages] of kept) pipeline.secrets.set(arn, stages);
  };
}
