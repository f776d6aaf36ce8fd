import type { SQSRecord } from 'aws-lambda';
import type { Telemetry } from '../aws/telemetry.ts';
import { readMessage } from '../domain/queue-message.ts';
import { isTooOldToCreate } from '../domain/upload-record.ts';
import { type Enrich, type EnrichmentOutcome, isFetchedSince, mayAppear } from './enrich-record.ts';
import type { ApplyEvent, ApplyOutcome } from './upload-store.ts';

/** Dependencies of applying one message. `enrich` is absent without Argyle credentials, and in the worker of removals. */
export type RecordDependencies = {
  readonly eventType: string;
  readonly applyEvent: ApplyEvent;
  readonly enrich?: Enrich;
  readonly telemetry: Telemetry;
  readonly nowMs: () => number;
};

/**
 * The outcome of a message. `retryable`: AWS or Argyle failed. The message is retried for over six hours, for the first time
 * after at least `retryAfterSeconds`. `permanent`: no retry can succeed. The message moves to the dead-letter queue within
 * seconds.
 */
export type RecordOutcome = {
  readonly kind: 'applied' | 'stale' | 'retryable' | 'permanent';
  readonly record: SQSRecord;
  /** The document of the message, if it is readable. */
  readonly userUpload?: string;
  /** The outcome of fetching the document, if it was requested from Argyle. `awaited`: the message must be retried, without an error. */
  readonly document?: EnrichmentOutcome['kind'] | 'awaited';
  readonly retryAfterSeconds?: number | undefined;
};

/**
 * Merges one message into its upload record, then fetches the document. In this order, an outage of Argyle's API never delays
 * the event itself. The document of a stale event is fetched too, because the fetch may have failed the first time. It is not fetched
 * if that was done after the message was received.
 */
export async function applyRecord(
  dependencies: RecordDependencies,
  record: SQSRecord,
  deadline: AbortSignal,
): Promise<RecordOutcome> {
  const reading = readMessage({ body: record.body, attributes: stringAttributes(record) });
  if (reading.kind === 'unreadable') return failureOf(dependencies.telemetry, record)('permanent', 'unreadable');
  const { envelope, receivedAt } = reading;
  const { userUpload } = envelope;
  const fail = failureOf(dependencies.telemetry, record, { userUpload });
  if (envelope.event !== dependencies.eventType) return fail('permanent', 'wrong_event');

  let applied: ApplyOutcome;
  try {
    const mayCreate = !isTooOldToCreate(receivedAt, dependencies.nowMs());
    applied = await dependencies.applyEvent(envelope, receivedAt, { mayCreate, deadline });
  } catch (error) {
    return fail('retryable', 'not_stored', error);
  }
  if (applied.kind === 'expired') return fail('permanent', 'expired');
  const isCurrent = applied.isRemoved || isFetchedSince(receivedAt, applied.documentFetchedAt, dependencies.nowMs());
  if (!dependencies.enrich || isCurrent) return { kind: applied.kind, record, userUpload };

  const document = await dependencies
    .enrich(userUpload, deadline)
    .catch((error): EnrichmentOutcome => ({ kind: 'failed', error }));
  const receiveCount = Number(record.attributes.ApproximateReceiveCount);
  if (document.kind === 'gone' && mayAppear(receivedAt, receiveCount, dependencies.nowMs()))
    return { kind: applied.kind, record, userUpload, document: 'awaited' };
  if (document.kind !== 'failed') return { kind: applied.kind, record, userUpload, document: document.kind };
  const { error, retryAfterSeconds } = document;
  return { ...fail('retryable', 'not_fetched', error), document: 'failed', retryAfterSeconds };
}

/** Returns the delivery id of a message, or `unknown` for a message that ingest did not send. */
export function deliveryIdOf(record: SQSRecord): string {
  return record.messageAttributes.deliveryId?.stringValue ?? 'unknown';
}

function failureOf(telemetry: Telemetry, record: SQSRecord, known: { readonly userUpload?: string } = {}) {
  return (kind: 'retryable' | 'permanent', reason: string, error?: unknown): RecordOutcome => {
    const ids = { messageId: record.messageId, deliveryId: deliveryIdOf(record), ...known };
    telemetry.error('record_failed', error, { ...ids, kind, reason });
    return { kind, record, ...known };
  };
}

function stringAttributes({ messageAttributes }: SQSRecord): Record<string, string> {
  return Object.fromEntries(
    Object.entries(messageAttributes).map(([name, { stringValue }]) => [name, stringValue ?? '']),
  );
}
