import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type EventType, events, isEventType } from '../../../functions/domain/events.ts';
import type { Message, State, UploadRecord } from './state.ts';

// The answers that docs/answers.md documents. 400 is an answer of flawed receivers.
export const codes = {
  accepted: 200,
  quarantined: 200,
  bad_request: 400,
  bad_signature: 401,
  not_found: 404,
  too_large: 413,
  unavailable: 503,
} as const;

/** The outcome of a delivery. */
export type Status = keyof typeof codes;

/** A delivery whose body has arrived. */
export type Delivery = { readonly signature: string | undefined; readonly body: Buffer };

/** The content of a webhook. */
export type Webhook = {
  readonly event: EventType;
  readonly ids: { readonly account: string; readonly user: string; readonly userUpload: string };
};

/** The steps of a receiver. A flawed receiver replaces one of them. */
export type Steps = {
  readonly isRouted: (method: string, path: string) => boolean;
  readonly readBody: (request: IncomingMessage) => Promise<Buffer>;
  readonly readSignature: (request: IncomingMessage) => string | undefined;
  readonly receive: (steps: Steps, state: State, delivery: Delivery) => Promise<Status>;
  readonly isSigned: (body: Buffer, signature: string | undefined, secret: string) => boolean;
  readonly isTooLarge: (body: Buffer) => boolean;
  readonly readWebhook: (body: Buffer) => Webhook | undefined;
  readonly enqueue: (state: State, message: Message) => Promise<void>;
  readonly logLine: (status: Status, delivery: Delivery) => string;
  readonly processBatch: (steps: Steps, state: State, batch: readonly Message[]) => Promise<void>;
  readonly isOwner: (record: UploadRecord | undefined, webhook: Webhook) => boolean;
  readonly merge: (record: UploadRecord | undefined, webhook: Webhook, receivedAt: string) => UploadRecord;
};

/** A correct receiver. It is small, in memory, and shares no code with the receiver under test. */
export const reference: Steps = {
  isRouted: (method, path) => method === 'POST' && path === '/webhooks',
  readBody: async (request) => Buffer.concat(await request.toArray()),
  readSignature: ({ headers }) => headers['x-argyle-signature']?.toString(),
  receive,
  isSigned: (body, signature, secret) => {
    const given = Buffer.from(signature ?? '', 'hex');
    return signature?.length === 128 && given.length === 64 && timingSafeEqual(given, digestOf(body, secret));
  },
  isTooLarge: (body) => body.length > 512 * 1024,
  readWebhook: (body) => readWebhook(body),
  enqueue: (state, message) => state.queue.send(message),
  logLine: (status, { body }) => `${status} ${body.length} bytes`,
  processBatch: async (steps, state, batch) => {
    for (const message of batch) {
      const webhook = readWebhook(message.body);
      if (webhook && steps.isOwner(state.records.get(webhook.ids.userUpload), webhook))
        apply(steps, state, webhook, message.receivedAt);
      else state.dead.push(message);
    }
  },
  isOwner: (record, { ids }) => !record || (record.account === ids.account && record.user === ids.user),
  merge: (record, { event, ids }, receivedAt) => {
    const { slot } = events[event];
    return { ...record, ...ids, [slot]: [record?.[slot] ?? receivedAt, receivedAt].sort()[0] as string };
  },
};

export function digestOf(body: Buffer, secret: string): Buffer {
  return createHmac('sha512', secret).update(body).digest();
}

/** Reads a webhook; undefined if its event is not in the catalogue, or an id is missing or has another format. */
export function readWebhook(body: Buffer, id = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/): Webhook | undefined {
  try {
    const { event, data } = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body));
    const ids = { account: data.account, user: data.user, userUpload: data.user_upload };
    const isComplete = Object.values(ids).every((value) => typeof value === 'string' && id.test(value));
    return isComplete && isEventType(event) ? { event, ids } : undefined;
  } catch {
    return undefined;
  }
}

/** Merges one event into the record of its document. */
export function apply({ merge }: Steps, { records }: State, webhook: Webhook, receivedAt: string): void {
  const { userUpload } = webhook.ids;
  records.set(userUpload, merge(records.get(userUpload), webhook, receivedAt));
}

async function receive(steps: Steps, state: State, { body, signature }: Delivery): Promise<Status> {
  if (!state.secret) return 'unavailable';
  if (!steps.isSigned(body, signature, state.secret)) return 'bad_signature';
  if (steps.isTooLarge(body)) return 'too_large';
  const webhook = steps.readWebhook(body);
  try {
    await steps.enqueue(state, { event: webhook?.event, body, receivedAt: state.now() });
  } catch {
    return 'unavailable';
  }
  return webhook ? 'accepted' : 'quarantined';
}
