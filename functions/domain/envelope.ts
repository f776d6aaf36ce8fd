import { type EventType, isEventType } from './events.ts';

/** What one webhook says: which event happened to which document. Ids are 8-4-4-4-12 hex in lower case. */
export type Envelope = {
  readonly event: EventType;
  readonly account: string;
  /** Absent only where reconciliation found the document: Argyle's user-upload object names no user. */
  readonly user?: string;
  readonly userUpload: string;
};

/** The outcome of reading a body: an envelope, or why it is none. `event` is the name the sender gave. */
export type EnvelopeReading =
  | { readonly kind: 'envelope'; readonly envelope: Envelope }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'unknown_event'; readonly event: string }
  | { readonly kind: 'missing_ids'; readonly event: EventType };

/**
 * Reads a webhook body. `malformed`: not JSON in UTF-8, or no object with a string `event`. `missing_ids`: one of
 * `data.account`, `data.user`, `data.user_upload` is absent or not 8-4-4-4-12 hex. A strict UUID check would refuse
 * Argyle's own ids, whose version and variant digits are arbitrary (recorded deliveries, read 2026-11-24).
 * A webhook always names its `user`; only an event of our own reconciliation, `mayLackUser`, may leave it out.
 */
export function readEnvelope(body: Uint8Array, mayLackUser = false): EnvelopeReading {
  const message = parseJson(body);
  if (!isObject(message) || typeof message.event !== 'string') return { kind: 'malformed' };
  const { event, data } = message;
  if (!isEventType(event)) return { kind: 'unknown_event', event };
  if (!isObject(data)) return { kind: 'missing_ids', event };

  const account = readId(data.account);
  const user = readId(data.user);
  const userUpload = readId(data.user_upload);
  const lacksUser = user === undefined && !(mayLackUser && data.user === undefined);
  if (!account || lacksUser || !userUpload) return { kind: 'missing_ids', event };
  return { kind: 'envelope', envelope: { event, account, ...(user && { user }), userUpload } };
}

/** An id of Argyle's, 8-4-4-4-12 hex, in lower case; undefined for anything else. */
export function readId(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value) ? value.toLowerCase() : undefined;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(body));
  } catch {
    // The error's text quotes the body, so it goes no further.
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
