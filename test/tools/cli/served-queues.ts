import { spawn } from 'node:child_process';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { CreateQueueCommand, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { eventTypes } from '../../../functions/domain/events.ts';
import { outputNames } from '../../../infra/output-names.ts';
import { close, listen } from '../../../tools/local/loopback.ts';
import { countMessages } from '../../../tools/messages/dead-messages.ts';
import { type CallInput, type Disturbance, startAwsProxy } from '../../support/emulators/aws-proxy.ts';
import { createUploadTable, startDynamoDb, startSqs } from '../../support/emulators/emulators.ts';
import { newUpload, webhookBody } from '../../support/fakes/argyle-sender.ts';
import { run } from './run.ts';

type Endpoint = { readonly protocol: string; readonly hostname: string; readonly port?: number };
type AnyClient = { readonly config: { readonly endpoint?: (() => Promise<Endpoint>) | undefined } };

type OnCall = (action: string, input: CallInput) => Disturbance | undefined;

export type ServedQueues = Awaited<ReturnType<typeof serveQueues>>;

/**
 * Serves a stack that has queues and a table but no functions, so that only the test moves messages. `run` runs a command on it;
 * `extraEndpoints`: those of further emulators, by service.
 */
export async function serveQueues(extraEndpoints: Readonly<Record<string, string>> = {}) {
  const [sqs, dynamodb] = [await startSqs(), await startDynamoDb()];
  const tableName = await createUploadTable(dynamodb.client);
  const create = async (QueueName: string, Attributes = {}) =>
    (await sqs.client.send(new CreateQueueCommand({ QueueName, Attributes }))).QueueUrl ?? '';
  const deadUrls = Object.fromEntries(
    await Promise.all(eventTypes.map(async (event) => [event, await create(dead(event))])),
  );
  const queueUrls = Object.fromEntries(
    await Promise.all(eventTypes.map(async (event) => [event, await create(plain(event), redriveTo(event))])),
  );
  const quarantineUrl = await create('quarantine');
  const { server, endpoint: url } = await listen(
    (_, response) => response.end(JSON.stringify({ stackName: 'test', outputs, endpoints, lastWebhookAt: null })),
    0,
  );
  const { port } = new URL(url);
  const outputs = {
    ...Object.fromEntries(Object.values(outputNames).map((name) => [name, url])),
    [outputNames.uploadTableName]: tableName,
    [outputNames.queueUrls]: JSON.stringify(queueUrls),
    [outputNames.quarantineQueueUrl]: quarantineUrl,
    [outputNames.logGroupNames]: '{}',
  };
  let onCall: OnCall = () => undefined;
  const proxyOf = async (service: 'sqs' | 'dynamodb', client: AnyClient) =>
    startAwsProxy(service, await endpointOf(client), ({ action }, input) => onCall(action, input));
  const proxies = [await proxyOf('sqs', sqs.client), await proxyOf('dynamodb', dynamodb.client)] as const;
  const endpoints = { SQS: proxies[0].endpoint, DYNAMODB: proxies[1].endpoint, ...extraEndpoints };
  const put = async (QueueUrl: string, body: string, attributes: Readonly<Record<string, string>>) => {
    const MessageAttributes = Object.fromEntries(
      Object.entries(attributes).map(([name, StringValue]) => [name, { DataType: 'String', StringValue }]),
    );
    return sqs.client.send(new SendMessageCommand({ QueueUrl, MessageBody: body, MessageAttributes }));
  };
  return {
    sqs: sqs.client,
    dynamodb: dynamodb.client,
    tableName,
    queueUrl: (event: string) => queueUrls[event] ?? '',
    deadUrl: (event: string) => deadUrls[event] ?? '',
    quarantineUrl,
    port,
    put,
    /** Puts messages of new documents on an event's dead-letter queue. */
    putDead: async (event: string, count: number) => {
      for (let number = 0; number < count; number += 1)
        await put(deadUrls[event] ?? '', webhookBody(event, newUpload()), attributesOf(event));
    },
    /** Receives up to ten messages as another reader does. It keeps them for `seconds`. */
    hold: async (QueueUrl: string, seconds: number, MaxNumberOfMessages = 10) => {
      const command = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages, VisibilityTimeout: seconds });
      return (await sqs.client.send(command)).Messages ?? [];
    },
    total: async (queueUrl: string) => {
      const { visible, inFlight } = await countMessages(sqs.client, queueUrl);
      return visible + inFlight;
    },
    writeRecord: async (record: Readonly<Record<string, string>>) => {
      const Item = Object.fromEntries(Object.entries(record).map(([name, S]) => [name, { S }]));
      await dynamodb.client.send(new PutItemCommand({ TableName: tableName, Item }));
    },
    /** Observes and disturbs the calls of the commands to SQS and DynamoDB. */
    onCall: (listener: OnCall) => {
      onCall = listener;
    },
    run: (words: string, answer?: string | (() => Promise<string>)) => run(`--local --port ${port} ${words}`, answer),
    /** Starts a command in a process of its own. */
    start: (words: string) =>
      spawn(process.execPath, ['tools/cli/uploads.ts', '--local', '--port', port, ...words.split(' ')], {
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    close: async () => {
      await close(server);
      for (const proxy of proxies) await proxy.stop();
      await sqs.close();
      await dynamodb.close();
    },
  };
}

/** The attributes that ingest gives a message. */
export function attributesOf(event: string, receivedAtMs = Date.now()): Record<string, string> {
  return { event, receivedAt: new Date(receivedAtMs).toISOString(), deliveryId: 'by-hand' };
}

function plain(event: string): string {
  return event.replace('.', '-');
}

function dead(event: string): string {
  return `${plain(event)}-dead`;
}

function redriveTo(event: string) {
  const deadLetterTargetArn = `arn:aws:sqs:us-east-1:000000000000:${dead(event)}`;
  return { RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: 16 }) };
}

async function endpointOf({ config }: AnyClient): Promise<string> {
  const { protocol = '', hostname = '', port } = (await config.endpoint?.()) ?? {};
  return `${protocol}//${hostname}:${port}`;
}
