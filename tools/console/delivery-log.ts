import { ingestService, workerMetrics } from '../../functions/domain/metric-names.ts';
import type { FailureLine, LogLine, MetricLine } from './log-line.ts';
import type { Delivery } from './page/api.ts';

type Seen = { -readonly [Field in keyof Delivery]: Delivery[Field] } & { failure?: FailureLine; userUpload?: string };

const maxAttempts = 20;

/** Creates the log of the latest deliveries. It keeps at most `maxDeliveries` of them. */
export function createDeliveryLog(maxDeliveries: number) {
  const deliveries = new Map<string, Seen>();
  // A worker may print its line before ingest prints that of the same delivery.
  const find = (deliveryId: string): Seen => {
    const seen = deliveries.get(deliveryId) ?? { deliveryId, attempts: [] };
    deliveries.set(deliveryId, seen);
    if (deliveries.size > maxDeliveries) deliveries.delete(deliveries.keys().next().value ?? '');
    return seen;
  };
  return {
    /** Adds a request, a batch, or a failure. The failure of a message precedes the line of its batch. */
    note: (line: LogLine): void => {
      if (line.kind === 'failure') noteFailure(find(line.deliveryId), line);
      else if (line.service !== ingestService) {
        for (const id of splitIds(line.fields.deliveryIds)) noteAttempt(find(id), line);
      } else if (line.fields.deliveryId) noteRequest(find(String(line.fields.deliveryId)), line);
    },
    /** Returns at most `count` deliveries of a document, newest first. */
    of: (userUpload: string, count: number): readonly Delivery[] =>
      [...deliveries.values()]
        .filter((seen) => seen.userUpload === userUpload)
        .slice(-count)
        .reverse()
        .map(({ failure, userUpload, ...delivery }) => delivery),
  };
}

/** Splits the list of ids in a field of a batch's line. */
export function splitIds(field: unknown): readonly string[] {
  return String(field ?? '')
    .split(' ')
    .filter(Boolean);
}

function noteFailure(seen: Seen, failure: FailureLine): void {
  seen.failure = failure;
  if (failure.userUpload) seen.userUpload = failure.userUpload;
}

function noteRequest(seen: Seen, { timeMs, fields }: MetricLine): void {
  seen.receivedAt = new Date(timeMs).toISOString();
  seen.answer = String(fields.status);
  if (typeof fields.event === 'string') seen.event = fields.event;
  if (typeof fields.userUpload === 'string') seen.userUpload = fields.userUpload;
}

function noteAttempt(seen: Seen, { service, timeMs, metrics, fields }: MetricLine): void {
  const attempt = { at: new Date(timeMs).toISOString(), outcome: outcomeOf(seen.failure, metrics) };
  seen.attempts = [...seen.attempts, attempt].slice(-maxAttempts);
  delete seen.failure;
  seen.event ??= service;
  const [userUpload, ...others] = splitIds(fields.userUploads);
  if (userUpload && others.length === 0) seen.userUpload ??= userUpload;
}

// The line of a batch counts repeats, but does not say which of its messages were repeats.
function outcomeOf(failure: FailureLine | undefined, metrics: Readonly<Record<string, number>>): string {
  if (failure) return `${failure.isPermanent ? 'failed permanently' : 'failed, will be retried'}: ${failure.reason}`;
  const { applied, stale } = workerMetrics;
  if (metrics[stale]) return metrics[applied] ? 'applied or a repeat' : 'a repeat: no change';
  return metrics[applied] ? 'applied' : 'document requested again';
}
