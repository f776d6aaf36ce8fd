import { ingestService, workerMetrics } from '../../functions/domain/metric-names.ts';
import type { Delivery } from './page/view.ts';
import type { FailureLine, MetricLine } from './printed-line.ts';

/** The deliveries that were seen last, from the lines that the functions print. */
export type DeliveryLog = ReturnType<typeof createDeliveryLog>;

type Seen = { -readonly [Field in keyof Delivery]: Delivery[Field] } & { failure?: FailureLine; userUpload?: string };

const keptAttempts = 20;

/** Starts empty; beyond `most` deliveries the oldest is forgotten. */
export function createDeliveryLog(most: number) {
  const deliveries = new Map<string, Seen>();
  // A worker may have printed its line before ingest prints that of the same delivery.
  const find = (deliveryId: string): Seen => {
    const seen = deliveries.get(deliveryId) ?? { deliveryId, attempts: [] };
    deliveries.set(deliveryId, seen);
    if (deliveries.size > most) deliveries.delete(deliveries.keys().next().value ?? '');
    return seen;
  };
  return {
    /** Takes note of a request, or of a batch for each of its deliveries. */
    note: (line: MetricLine): void => {
      const { service, fields } = line;
      if (service === ingestService) noteRequest(find(String(fields.deliveryId)), line);
      else for (const id of idsIn(fields.deliveryIds)) noteAttempt(find(id), line);
    },
    /** Takes note of why a message failed; the line of its batch follows. */
    noteFailure: (failure: FailureLine): void => {
      const seen = find(failure.deliveryId);
      seen.failure = failure;
      if (failure.userUpload) seen.userUpload = failure.userUpload;
    },
    /** The newest deliveries that told of a document, at most `count`, newest first. */
    of: (userUpload: string, count: number): readonly Delivery[] =>
      [...deliveries.values()]
        .filter((seen) => seen.userUpload === userUpload)
        .slice(-count)
        .reverse()
        .map(({ failure, userUpload, ...delivery }) => delivery),
  };
}

/** The ids in a field of a batch's line. */
export function idsIn(field: unknown): readonly string[] {
  return String(field ?? '')
    .split(' ')
    .filter(Boolean);
}

function noteRequest(seen: Seen, { timeMs, fields }: MetricLine): void {
  seen.receivedAt = new Date(timeMs).toISOString();
  seen.answer = String(fields.status);
  if (typeof fields.event === 'string') seen.event = fields.event;
  if (typeof fields.userUpload === 'string') seen.userUpload = fields.userUpload;
}

function noteAttempt(seen: Seen, { service, timeMs, metrics, fields }: MetricLine): void {
  const attempt = { at: new Date(timeMs).toISOString(), outcome: outcomeOf(seen.failure, metrics) };
  seen.attempts = [...seen.attempts, attempt].slice(-keptAttempts);
  delete seen.failure;
  seen.event ??= service;
  const [userUpload, ...others] = idsIn(fields.userUploads);
  if (userUpload && others.length === 0) seen.userUpload ??= userUpload;
}

// The line of a batch counts its messages. Which of them was the repeat, it does not say.
function outcomeOf(failure: FailureLine | undefined, metrics: Readonly<Record<string, number>>): string {
  if (failure) return `${failure.isForGood ? 'given up' : 'failed, will be tried again'}: ${failure.reason}`;
  if (!metrics[workerMetrics.stale]) return 'applied';
  return metrics[workerMetrics.applied] ? 'applied or a repeat' : 'a repeat: nothing to change';
}
