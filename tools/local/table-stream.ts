import { Agent, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { isDeepStrictEqual } from 'node:util';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Engine } from './engine.ts';
import { startSmallEngine } from './loopback.ts';

/** A record of a stream that has new and old images, as far as it is told here. */
export type StreamRecord = {
  readonly eventID: string;
  readonly eventName: 'INSERT' | 'MODIFY' | 'REMOVE';
  readonly eventSource: 'aws:dynamodb';
  readonly dynamodb: { readonly Keys: Item; readonly OldImage?: Item; readonly NewImage?: Item };
};

/** The table whose writes are told of, and who is told. */
export type TableStreamOptions = {
  readonly endpoint: string;
  readonly tableName: string;
  readonly onRecord: (record: StreamRecord) => void;
};

type Item = Record<string, AttributeValue>;
type Write = { readonly Key: Item; readonly ReturnValues?: string };
type Answer = { readonly statusCode: number; readonly headers: IncomingHttpHeaders; readonly body: Buffer };

/**
 * The embedded engine has no streams. This stands between the functions and it, passes everything on, and looks at an item
 * before and after each write to it, one write of an item at a time. It sees the functions' single writes with a key and
 * nothing else: not what somebody writes to the engine directly, and no expiry, which the engine has not either.
 */
export async function startTableStream(options: TableStreamOptions): Promise<Engine> {
  const agent = new Agent({ keepAlive: true });
  const lastOfItem = new Map<string, Promise<void>>();
  let count = 0;

  const write = async (
    { Key, ReturnValues }: Write,
    pass: () => Promise<Answer>,
    read: (Key: Item) => Promise<Item | undefined>,
  ): Promise<void> => {
    const before = await read(Key);
    const { statusCode, body } = await pass();
    // A refused condition has written nothing.
    if (statusCode !== 200) return;
    const after = ReturnValues === 'ALL_NEW' ? JSON.parse(body.toString()).Attributes : await read(Key);
    if (isDeepStrictEqual(before, after)) return;
    count += 1;
    options.onRecord(recordOf(String(count), Key, before, after));
  };
  const engine = await startSmallEngine(async (incoming, outgoing) => {
    try {
      const body = await buffer(incoming);
      const pass = async () => {
        const answer = await ask(options.endpoint, agent, incoming, body);
        outgoing.writeHead(answer.statusCode, answer.headers).end(answer.body);
        return answer;
      };
      const written = writeOf(options.tableName, incoming, body);
      if (!written) return void (await pass());
      const id = JSON.stringify(written.Key);
      const read = readerFor(options, agent, incoming);
      const writing = (lastOfItem.get(id) ?? Promise.resolve())
        .catch(() => undefined)
        .then(() => write(written, pass, read));
      lastOfItem.set(id, writing);
      await writing.finally(() => lastOfItem.get(id) === writing && lastOfItem.delete(id));
    } catch {
      // The engine is gone, or whoever asked is: as if this were not between them.
      incoming.socket.destroy();
    }
  });
  return {
    endpoint: engine.endpoint,
    stop: async () => {
      await engine.stop();
      agent.destroy();
    },
  };
}

// In the name of who writes, and without an SDK, which would cost more than the engine's own work.
function readerFor(
  { endpoint, tableName }: TableStreamOptions,
  agent: Agent,
  { method, url, headers: { 'transfer-encoding': _, ...headers } }: IncomingMessage,
): (Key: Item) => Promise<Item | undefined> {
  return async (Key) => {
    const body = Buffer.from(JSON.stringify({ TableName: tableName, Key, ConsistentRead: true }));
    const target = { 'x-amz-target': 'DynamoDB_20120810.GetItem', 'content-length': String(body.length) };
    const answer = await ask(endpoint, agent, { method, url, headers: { ...headers, ...target } }, body);
    if (answer.statusCode !== 200) throw new Error(`The engine does not read: ${answer.body}`);
    return JSON.parse(answer.body.toString()).Item;
  };
}

function writeOf(tableName: string, { headers }: IncomingMessage, body: Buffer): Write | undefined {
  if (!/\.(UpdateItem|DeleteItem)$/.test(String(headers['x-amz-target']))) return undefined;
  const { TableName, ...written } = JSON.parse(body.toString());
  return TableName === tableName ? written : undefined;
}

function recordOf(eventID: string, Keys: Item, OldImage: Item | undefined, NewImage: Item | undefined): StreamRecord {
  return {
    eventID,
    eventName: OldImage ? (NewImage ? 'MODIFY' : 'REMOVE') : 'INSERT',
    eventSource: 'aws:dynamodb',
    dynamodb: { Keys, ...(OldImage && { OldImage }), ...(NewImage && { NewImage }) },
  };
}

function ask(
  endpoint: string,
  agent: Agent,
  { url, method, headers: { host: _, ...headers } }: Pick<IncomingMessage, 'url' | 'method' | 'headers'>,
  body: Buffer,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const passed = request(new URL(url ?? '/', endpoint), { method, headers, agent }, (answer) => {
      const { statusCode = 502, headers } = answer;
      buffer(answer).then((content) => resolve({ statusCode, headers, body: content }), reject);
    });
    passed.once('error', reject).end(body);
  });
}
