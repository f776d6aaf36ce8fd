import { Agent, type IncomingMessage, request } from 'node:http';
import { buffer, text } from 'node:stream/consumers';
import { isDeepStrictEqual } from 'node:util';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { type Emulator, startHttpEmulator } from './loopback.ts';

/** A record of a stream with new and old images; only the fields that the functions read. */
export type StreamRecord = {
  readonly eventID: string;
  readonly eventName: 'INSERT' | 'MODIFY' | 'REMOVE';
  readonly eventSource: 'aws:dynamodb';
  readonly dynamodb: { readonly Keys: Item; readonly OldImage?: Item; readonly NewImage?: Item };
};

type TableStreamOptions = {
  /** The endpoint of the DynamoDB emulator. */
  readonly endpoint: string;
  readonly tableName: string;
  readonly onRecord: (record: StreamRecord) => void;
};

type Item = Record<string, AttributeValue>;
type Write = { readonly Key: Item; readonly ReturnValues?: string };
type Answer = { readonly statusCode: number; readonly body: Buffer };
type Request = Pick<IncomingMessage, 'url' | 'method' | 'headers'>;

/**
 * Starts a proxy in front of the DynamoDB emulator, which has no streams. It reads an item before and after each write, one
 * write of an item at a time. It sees UpdateItem and DeleteItem of the functions; it does not see writes sent directly to
 * the emulator. The emulator expires no items.
 */
export async function startTableStream(options: TableStreamOptions): Promise<Emulator> {
  const agent = new Agent({ keepAlive: true });
  const lastWrites = new Map<string, Promise<void>>();
  let count = 0;

  const write = async (
    { Key, ReturnValues }: Write,
    pass: () => Promise<Answer>,
    read: (Key: Item) => Promise<Item | undefined>,
  ): Promise<void> => {
    const before = await read(Key);
    const { statusCode, body } = await pass();
    // A failed condition has written nothing.
    if (statusCode !== 200) return;
    const after = ReturnValues === 'ALL_NEW' ? JSON.parse(body.toString()).Attributes : await read(Key);
    if (isDeepStrictEqual(before, after)) return;
    count += 1;
    options.onRecord(recordOf(String(count), Key, before, after));
  };
  const emulator = await startHttpEmulator(async (incoming, outgoing) => {
    try {
      const body = await buffer(incoming);
      const pass = async () => {
        const answer = await forward(options.endpoint, incoming, body, agent);
        const { statusCode = 502, headers } = answer;
        const content = await buffer(answer);
        outgoing.writeHead(statusCode, headers).end(content);
        return { statusCode, body: content };
      };
      const written = writeOf(options.tableName, incoming, body);
      if (!written) return void (await pass());
      const id = JSON.stringify(written.Key);
      const read = readerFor(options, agent, incoming);
      const writing = (lastWrites.get(id) ?? Promise.resolve())
        .catch(() => undefined)
        .then(() => write(written, pass, read));
      lastWrites.set(id, writing);
      await writing.finally(() => lastWrites.get(id) === writing && lastWrites.delete(id));
    } catch {
      // The emulator or the client has closed its connection: close the other one.
      incoming.socket.destroy();
    }
  });
  return {
    endpoint: emulator.endpoint,
    stop: async () => {
      await emulator.stop();
      agent.destroy();
    },
  };
}

// Reads with the writer's credentials, and without the SDK, which would take more CPU than the emulator itself.
function readerFor(
  { endpoint, tableName }: TableStreamOptions,
  agent: Agent,
  { method, url, headers: { 'transfer-encoding': _, ...headers } }: IncomingMessage,
): (Key: Item) => Promise<Item | undefined> {
  return async (Key) => {
    const body = Buffer.from(JSON.stringify({ TableName: tableName, Key, ConsistentRead: true }));
    const target = { 'x-amz-target': 'DynamoDB_20120810.GetItem', 'content-length': String(body.length) };
    const answer = await forward(endpoint, { method, url, headers: { ...headers, ...target } }, body, agent);
    const content = await text(answer);
    if (answer.statusCode !== 200) throw new Error(`The DynamoDB emulator failed to read an item: ${content}`);
    return JSON.parse(content).Item;
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

/** Sends a request with its body to another endpoint and returns the answer. */
export function forward(
  endpoint: string,
  { url, method, headers: { host: _, ...headers } }: Request,
  body: Buffer,
  agent?: Agent,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = request(new URL(url ?? '/', endpoint), { method, headers, ...(agent && { agent }) }, resolve);
    outgoing.on('error', reject).end(body);
  });
}
