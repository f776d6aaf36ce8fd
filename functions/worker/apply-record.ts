import type { SQSRecord } from 'aws-lambda';
import type { Telemetry } from '../aws/telemetry.ts';
import { type FailureReason, permanentReasons, readMessage } from '../domain/queue-message.ts';
import { isRetryOver } from '../domain/retry-budget.ts';
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
 * The outcome of a message. `retryable`: AWS or Argyle failed. The message is retried, for the first time after at least
 * `retryAfterSeconds`. `permanent`: no retry can succeed, or the message was retried for over six hours. It becomes a dead letter.
 */
export type RecordOutcome = FailedRecord | (RecordFacts & { readonly kind: 'applied' | 'stale' });

/** The outcome of a message that failed. */
export type FailedRecord = RecordFacts & {
  readonly kind: 'retryable' | 'permanent';
  readonly reason: FailureReason;
};

type RecordFacts = {
  readonly record: SQSRecord;
  /** The document of the message, if it is readable. */
  readonly userUpload?: string;
  /**
   * The outcome of fetching the document, if it was requested from Argyle and the message is not given up. `awaited`: the message
   * must be retried, without an error.
   */
  readonly document?: EnrichmentOutcome['kind'] | 'awaited';
  readonly retryAfterSeconds?: number | undefined;
};

/**
 * Merges one message into its upload record, then fetches the document. In this order, an outage of Argyle's API never delays
 * the event itself. The document of a stale event is fetched too, because the fetch may have failed the first time. No document is
 * fetched again if it was already fetched after the webhook arrived.
 */
export async function applyRecord(
  dependencies: RecordDependencies,
  record: SQSRecord,
  deadline: AbortSignal,
): Promise<RecordOutcome> {
  const reading = readMessage({ body: record.body, attributes: stringAttributes(record) });
  if (reading.kind === 'unreadable') return failureOf(dependencies, record)('unreadable');
  const { envelope, receivedAt } = reading;
  const { userUpload } = envelope;
  const fail = failureOf(dependencies, record, { userUpload });
  if (envelope.event !== dependencies.eventType) return fail('wrong_event');

  let applied: ApplyOutcome;
  try {
    const mayCreate = !isTooOldToCreate(receivedAt, dependencies.nowMs());
    applied = await dependencies.applyEvent(envelope, receivedAt, { mayCreate, deadline });
  } catch (error) {
    return fail('not_stored', error);
  }
  if (applied.kind === 'expired' || applied.kind === 'owner_conflict') return fail(applied.kind);
  const isCurrent = applied.isRemoved || isFetchedSince(receivedAt, applied.documentFetchedAt, dependencies.nowMs());
  if (!dependencies.enrich || isCurrent) return { kind: applied.kind, record, userUpload };

  const document = await dependencies
    .enrich(userUpload, deadline)
    .catch((error): EnrichmentOutcome => ({ kind: 'failed', error }));
  const receiveCount = Number(record.attributes.ApproximateReceiveCount);
  if (document.kind === 'gone' && mayAppear(receivedAt, receiveCount, dependencies.nowMs()))
    return { kind: applied.kind, record, userUpload, document: 'awaited' };
  if (document.kind !== 'failed') return { kind: applied.kind, record, userUpload, document: document.kind };
  const failure = fail('not_fetched', document.error);
  if (failure.kind !== 'retryable') return failure;
  return { ...failure, document: 'failed', retryAfterSeconds: document.retryAfterSeconds };
}

/** Returns the delivery id of a message, or `unknown` for a message that ingest did not send. */
export function deliveryIdOf(record: SQSRecord): string {
  return record.messageAttributes.deliveryId?.stringValue ?? 'unknown';
}

// Returns the function that ends a message with a failure and logs it.
function failureOf(
  { telemetry, nowMs }: RecordDependencies,
  record: SQSRecord,
  known: { readonly userUpload?: string } = {},
) {
  return (reason: FailureReason, error?: unknown): FailedRecord => {
    const isPermanent = (permanentReasons as readonly string[]).includes(reason);
    const isOver = isRetryOver(Number(record.attributes.SentTimestamp), nowMs());
    const kind = isPermanent || isOver ? 'permanent' : 'retryable';
    const ids = { messageId: record.messageId, deliveryId: deliveryIdOf(record), ...known };
    telemetry.error('record_failed', error, { ...ids, kind, reason });
    return { kind, reason, record, ...known };
  };
}

function stringAttributes({ messageAttributes }: SQSRecord): Record<string, string> {
  return Object.fromEntries(
    Object.entries(messageAttributes).map(([name, { stringValue }]) => [name, stringValue ?? '']),
  );
}
