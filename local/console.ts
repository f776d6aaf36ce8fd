import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type DynamoDBClient, GetItemCommand, paginateScan } from '@aws-sdk/client-dynamodb';
import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { type EventType, isEventType } from '../functions/domain/events.ts';
import { statusOf, type UploadSlots } from '../functions/domain/upload-record.ts';
import type { ArgyleControl } from './argyle/control.ts';
import type { LogStream } from './log-stream.ts';
import { postSigned, sampleBody } from './sample.ts';

/** A queue as the console shows it: an event's, or `quarantine`, which has no dead-letter queue. */
export type ConsoleQueue = { readonly event: string; readonly url: string; readonly deadLetterUrl?: string };

/** What the console shows and where its buttons send to. */
export type ConsoleOptions = {
  readonly dynamodb: DynamoDBClient;
  readonly sqs: SQSClient;
  readonly tableName: string;
  readonly queues: readonly ConsoleQueue[];
  readonly webhookUrl: string;
  readonly webhookSecret: string;
  /** What the command line asks for: the stack's name and outputs, and the engines' endpoints by service. */
  readonly stack: object;
  readonly log: LogStream;
  /** The fake Argyle, if there is one. */
  readonly argyle: ArgyleControl | undefined;
};

const page = readFileSync(new URL('./console.html', import.meta.url));

/**
 * Serves the console: the page at `/`, `/console/state`, `/console/uploads/{id}`, and its buttons' `/console/send` (a
 * signed sample) and `/console/argyle` (something happens at the fake Argyle, which then delivers). For the command line:
 * `/console/stack` and `/console/log`.
 */
export function createConsole(options: ConsoleOptions) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<boolean> => {
    const [path = '/', query = ''] = (request.url ?? '/').split('?', 2);
    const route = `${request.method} ${path}`;
    const userUpload = /^GET \/console\/uploads\/([0-9a-f-]{36})$/i.exec(route)?.[1];
    if (route === 'GET /') response.setHeader('content-type', 'text/html; charset=utf-8').end(page);
    else if (route === 'GET /console/stack') answer(response, 200, options.stack);
    else if (route === 'GET /console/log') options.log.follow(response);
    else if (route === 'GET /console/state') answer(response, 200, await readState(options));
    else if (userUpload) {
      const record = await readUpload(options, userUpload.toLowerCase());
      answer(response, record ? 200 : 404, record ?? { message: 'There is no such upload.' });
    } else if (route === 'POST /console/send') {
      const parameters = new URLSearchParams(query);
      const event = parameters.get('event') ?? '';
      if (!isEventType(event)) answer(response, 400, { message: `There is no event '${event}'.` });
      else answer(response, 200, await sendSample(options, event, parameters.get('upload')));
    } else if (route === 'POST /console/argyle') {
      await driveArgyle(options, new URLSearchParams(query), response);
    } else return false;
    return true;
  };
}

async function readState({ dynamodb, sqs, tableName, queues }: ConsoleOptions): Promise<object> {
  const uploads: object[] = [];
  for await (const { Items = [] } of paginateScan({ client: dynamodb }, { TableName: tableName })) {
    uploads.push(...Items.map((item) => withStatus(unmarshall(item))));
  }
  return {
    uploads,
    queues: await Promise.all(
      queues.map(async ({ event, url, deadLetterUrl }) => {
        const { visible, inFlight } = await countMessages(sqs, url);
        const dead = deadLetterUrl ? (await countMessages(sqs, deadLetterUrl)).visible : 0;
        return { event, visible, inFlight, dead };
      }),
    ),
  };
}

async function readUpload({ dynamodb, tableName }: ConsoleOptions, userUpload: string): Promise<object | undefined> {
  const { Item } = await dynamodb.send(
    new GetItemCommand({ TableName: tableName, Key: { userUpload: { S: userUpload } } }),
  );
  return Item && withStatus(unmarshall(Item));
}

async function sendSample(
  { webhookUrl, webhookSecret }: ConsoleOptions,
  event: EventType,
  upload: string | null,
): Promise<object> {
  return postSigned(webhookUrl, webhookSecret, sampleBody(event, upload || undefined));
}

async function driveArgyle(
  { argyle }: ConsoleOptions,
  query: URLSearchParams,
  response: ServerResponse,
): Promise<void> {
  const action = argyleActions[query.get('action') ?? ''];
  if (!argyle || !action) return answer(response, 400, { message: `Say what happens: ${Object.keys(argyleActions)}.` });
  try {
    answer(response, 200, await action(argyle, query.get('upload') ?? ''));
  } catch (error) {
    answer(response, 404, { message: (error as Error).message });
  }
}

// What users and OCR do with documents, by the name of the page's button.
const argyleActions: Readonly<Record<string, (argyle: ArgyleControl, upload: string) => Promise<object>>> = {
  upload: (argyle) => argyle.uploadDocument(),
  success: (argyle, upload) => argyle.runOcr(upload, { result: 'success' }),
  failure: (argyle, upload) => argyle.runOcr(upload, { result: 'failure', error: 'The page is blurred.' }),
  authenticity: (argyle, upload) => argyle.runOcr(upload, { result: 'authenticity' }),
  remove: (argyle, upload) => argyle.removeUpload(upload),
  'remove-account': async (argyle, upload) => argyle.removeAccount((await argyle.readUpload(upload)).account),
};

function withStatus(record: UploadSlots): object {
  return { ...record, status: statusOf(record) };
}

async function countMessages(sqs: SQSClient, QueueUrl: string): Promise<{ visible: number; inFlight: number }> {
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({
      QueueUrl,
      AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
    }),
  );
  return {
    visible: Number(Attributes.ApproximateNumberOfMessages),
    inFlight: Number(Attributes.ApproximateNumberOfMessagesNotVisible),
  };
}

function answer(response: ServerResponse, statusCode: number, body: object): void {
  response.writeHead(statusCode, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
