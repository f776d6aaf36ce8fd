import { type Envelope, type EnvelopeReading, readEnvelope } from './envelope.ts';
import { decodeBody, encodeBody } from './message-body.ts';

/** One SQS message: the webhook body and string attributes. */
export type QueueMessage = {
  readonly body: string;
  readonly attributes: Readonly<Record<string, string>>;
};

/** The content of a message on an event's queue, or `unreadable`. */
export type MessageReading =
  | { readonly kind: 'message'; readonly envelope: Envelope; readonly receivedAt: string }
  | { readonly kind: 'unreadable' };

/** Why a worker can never apply a message: no retry can succeed. */
export const permanentReasons = ['unreadable', 'wrong_event', 'expired', 'owner_conflict'] as const;

/** Why a worker did not apply a message that a retry may apply. */
export const retryableReasons = ['not_stored', 'not_fetched'] as const;

/** Why a worker did not apply a message. A worker that gives a message up writes it as the attribute `reason` of the dead letter. */
export type FailureReason = (typeof permanentReasons)[number] | (typeof retryableReasons)[number];
/** The maximum number of messages in one batch of a worker. */
export const messagesPerBatch = 10;

/** The `origin` of an event that reconciliation created because the record lacked it. */
export const reconciliation = 'reconciliation';

/**
 * Creates the queue message of a webhook.
 * @param delivery `receivedAtMs` is the gateway's receipt time in epoch milliseconds; `origin` is absent for webhooks
 */
export function writeMessage(delivery: {
  readonly event: string;
  readonly receivedAtMs: number;
  readonly deliveryId: string;
  readonly body: Uint8Array;
  readonly origin?: typeof reconciliation;
}): QueueMessage {
  const { text, encoding } = encodeBody(delivery.body);
  return {
    body: text,
    attributes: {
      event: delivery.event,
      receivedAt: new Date(delivery.receivedAtMs).toISOString(),
      deliveryId: delivery.deliveryId,
      ...(encoding && { encoding }),
      ...(delivery.origin && { origin: delivery.origin }),
    },
  };
}

/**
 * Returns the value of a message's attribute `event`. Returns `unreadable` for a body without a name, and for an unknown
 * name that is too long for an attribute or contains characters that SQS may refuse.
 */
export function eventNameOf(reading: EnvelopeReading): string {
  if (reading.kind === 'envelope') return reading.envelope.event;
  return 'event' in reading && /^[\w.-]{1,128}$/.test(reading.event) ? reading.event : 'unreadable';
}

/** Reads a message. Returns `unreadable` unless it has all ids and a receipt time in the form that `writeMessage` writes. */
export function readMessage({ body, attributes }: QueueMessage): MessageReading {
  const raw = decodeBody(body, attributes.encoding);
  const { receivedAt } = attributes;
  if (!raw || !isReceiptTime(receivedAt)) return { kind: 'unreadable' };
  const reading = readEnvelope(raw, attributes.origin === reconciliation);
  return reading.kind === 'envelope'
    ? { kind: 'message', envelope: reading.envelope, receivedAt }
    : { kind: 'unreadable' };
}

// DynamoDB compares slots as text, which orders times only if they all have the same form. A year of more than four digits
// starts with a sign.
function isReceiptTime(text: string | undefined): text is string {
  if (!text?.match(/^\d/)) return false;
  const time = new Date(text);
  return !Number.isNaN(time.getTime()) && time.toISOString() === text;
}
