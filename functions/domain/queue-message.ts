import { type Envelope, type EnvelopeReading, readEnvelope } from './envelope.ts';
import { decodeBody, encodeBody } from './message-body.ts';

/** One SQS message: the webhook body and string attributes. */
export type QueueMessage = {
  readonly body: string;
  readonly attributes: Readonly<Record<string, string>>;
};

/** What a message on an event's queue says, or that it cannot be read. */
export type MessageReading =
  | { readonly kind: 'message'; readonly envelope: Envelope; readonly receivedAt: string }
  | { readonly kind: 'unreadable' };

/** The `origin` of an event that no webhook told of: reconciliation found it at Argyle. */
export const reconciliation = 'reconciliation';

/**
 * Wraps a raw webhook body for its queue. `receivedAtMs`: epoch milliseconds at the gateway; `origin`: where it comes
 * from when it was no webhook.
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
 * The name for a message's attribute `event`, `unreadable` where there is none: an attribute takes fewer characters than a
 * body, and an unknown name is whatever its sender wrote.
 */
export function eventNameOf(reading: EnvelopeReading): string {
  if (reading.kind === 'envelope') return reading.envelope.event;
  return 'event' in reading && /^[\w.-]{1,128}$/.test(reading.event) ? reading.event : 'unreadable';
}

/** Reads a message back. `unreadable`: not an envelope with all ids, or without a receipt time of our own form. */
export function readMessage({ body, attributes }: QueueMessage): MessageReading {
  const raw = decodeBody(body, attributes.encoding);
  const { receivedAt } = attributes;
  if (!raw || !isReceiptTime(receivedAt)) return { kind: 'unreadable' };
  const reading = readEnvelope(raw, attributes.origin === reconciliation);
  return reading.kind === 'envelope'
    ? { kind: 'message', envelope: reading.envelope, receivedAt }
    : { kind: 'unreadable' };
}

// The form matters: slots are compared as text in DynamoDB, which orders times only if all look alike. Years of five
// digits and more would be written with a sign.
function isReceiptTime(text: string | undefined): text is string {
  if (!text?.match(/^\d/)) return false;
  const time = new Date(text);
  return !Number.isNaN(time.getTime()) && time.toISOString() === text;
}
