import { type EventType, isEventType } from './events.ts';
import { isObject } from './is-object.ts';
import { decodeUtf8 } from './message-body.ts';

/** The content of one webhook: the event and the ids of its document. Ids are 8-4-4-4-12 hex in lower case. */
export type Envelope = {
  readonly event: EventType;
  readonly account: string;
  /** Absent only in events that reconciliation created: Argyle's user-upload object has no user. */
  readonly user?: string;
  readonly userUpload: string;
};

/** The result of reading a body: an envelope, or why there is none. `event` is the name that the sender used. */
export type EnvelopeReading =
  | { readonly kind: 'envelope'; readonly envelope: Envelope }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'unknown_event'; readonly event: string }
  | { readonly kind: 'missing_ids'; readonly event: EventType };

/**
 * Reads a webhook body. Returns `malformed` unless it is an object in UTF-8 JSON with a string `event`, and `missing_ids`
 * when one of `data.account`, `data.user` and `data.user_upload` is absent or is not an id.
 * @param mayLackUser whether `user` may be absent: true only for events that reconciliation created
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

/**
 * Returns an Argyle id in lower case, or undefined for anything other than 8-4-4-4-12 hex. A strict UUID check would refuse
 * Argyle's own ids: their version and variant digits are arbitrary (recorded deliveries, read 2026-11-24).
 */
export function readId(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value) ? value.toLowerCase() : undefined;
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(decodeUtf8(body) ?? '');
  } catch {
    // The error is dropped, because its message contains the body.
  }
}
