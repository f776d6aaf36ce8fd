import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type EventType, events, isEventType } from '../../../functions/domain/events.ts';
import type { Message, UploadRecord, World } from './world.ts';

// The answers of README.md; 400 is one that flawed receivers give.
const codes = {
  accepted: 200,
  quarantined: 200,
  bad_request: 400,
  bad_signature: 401,
  not_found: 404,
  too_large: 413,
  unavailable: 503,
} as const;

/** What becomes of a delivery. */
export type Status = keyof typeof codes;

/** A delivery once its body is whole. */
export type Delivery = { readonly signature: string | undefined; readonly body: Buffer };

/** What a webhook says. */
export type Webhook = { readonly event: EventType; readonly ids: Ids };
type Ids = { readonly account: string; readonly user: string; readonly userUpload: string };

/** A receiver as the steps it takes. A flawed one takes one of them otherwise. */
export type Steps = {
  readonly takes: (method: string, path: string) => boolean;
  readonly readBody: (request: IncomingMessage) => Promise<Buffer>;
  /** Undoes what the gateway did: text as it was, everything else in base64. */
  readonly decode: (text: string, isBase64: boolean) => Buffer;
  readonly readSignature: (request: IncomingMessage) => string | undefined;
  readonly receive: (steps: Steps, world: World, delivery: Delivery) => Promise<Status>;
  readonly isSigned: (body: Buffer, signature: string | undefined, secret: string) => boolean;
  readonly isTooLarge: (body: Buffer) => boolean;
  readonly readWebhook: (body: Buffer) => Webhook | undefined;
  readonly enqueue: (world: World, message: Message) => Promise<void>;
  readonly answer: (status: Status) => { readonly code: number; readonly headers?: Readonly<Record<string, string>> };
  readonly logLine: (status: Status, delivery: Delivery) => string;
  readonly workOn: (steps: Steps, world: World, batch: readonly Message[]) => Promise<void>;
  readonly merge: (record: UploadRecord | undefined, webhook: Webhook, receivedAt: string) => UploadRecord | undefined;
};

/** A receiver that behaves as it must: small, in memory, and of code of its own. */
export const reference: Steps = {
  takes: (method, path) => method === 'POST' && path === '/webhooks',
  readBody: async (request) => Buffer.concat(await request.toArray()),
  decode: (text, isBase64) => Buffer.from(text, isBase64 ? 'base64' : 'utf8'),
  readSignature: ({ headers }) => headers['x-argyle-signature']?.toString(),
  receive,
  isSigned: (body, signature, secret) => {
    const given = Buffer.from(signature ?? '', 'hex');
    const isWellFormed = signature?.length === 128 && given.length === 64;
    return isWellFormed && timingSafeEqual(given, digestOf(body, secret));
  },
  isTooLarge: (body) => body.length > 512 * 1024,
  readWebhook: (body) => readWebhook(body),
  enqueue: (world, message) => world.queue.send(message),
  answer: (status) => ({ code: codes[status], ...(status === 'unavailable' && { headers: { 'retry-after': '30' } }) }),
  logLine: (status, { body }) => `${status} ${body.length} bytes`,
  workOn: async (steps, world, batch) => {
    for (const message of batch) {
      const webhook = readWebhook(message.body);
      if (webhook) apply(steps, world, webhook, message.receivedAt);
      else world.dead.push(message);
    }
  },
  merge: (record, { event, ids }, receivedAt) => {
    const { slot } = events[event];
    return { ...record, ...ids, [slot]: [record?.[slot] ?? receivedAt, receivedAt].sort()[0] as string };
  },
};

/** HMAC-SHA512 of a body. */
export function digestOf(body: Buffer, secret: string): Buffer {
  return createHmac('sha512', secret).update(body).digest();
}

/** The shape of every id that Argyle sends. */
export const anyId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What a body says, or undefined when it is no webhook of the catalogue with all its ids, of the given shape. */
export function readWebhook(body: Buffer, id: RegExp = anyId): Webhook | undefined {
  try {
    const { event, data } = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body));
    const ids = { account: data.account, user: data.user, userUpload: data.user_upload };
    const isWhole = Object.values(ids).every((value) => typeof value === 'string' && id.test(value));
    return isWhole && isEventType(event) ? { event, ids } : undefined;
  } catch {
    return undefined;
  }
}

/** Merges one event into the record of its document. */
export function apply({ merge }: Steps, { records }: World, webhook: Webhook, receivedAt: string): void {
  const { userUpload } = webhook.ids;
  const merged = merge(records.get(userUpload), webhook, receivedAt);
  if (merged) records.set(userUpload, merged);
  else records.delete(userUpload);
}

async function receive(steps: Steps, world: World, { body, signature }: Delivery): Promise<Status> {
  if (!world.secret) return 'unavailable';
  if (!steps.isSigned(body, signature, world.secret)) return 'bad_signature';
  if (steps.isTooLarge(body)) return 'too_large';
  const webhook = steps.readWebhook(body);
  try {
    await steps.enqueue(world, { event: webhook?.event, body, receivedAt: world.now() });
  } catch {
    return 'unavailable';
  }
  return webhook ? 'accepted' : 'quarantined';
}
