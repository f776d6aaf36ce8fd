import type { EventType } from '../../functions/domain/events.ts';
import type { TryResult } from './send-webhook.ts';
import type { UploadIds } from './webhook-request.ts';
import type { Webhook } from './webhooks.ts';

/** An event of a document, and how its deliveries go: `open` have no outcome yet. */
type Happening = { readonly event: EventType; readonly ids: UploadIds; open: number; isAcknowledged: boolean };

/** One event on its way to one subscription. */
export type Delivery = { readonly happening: Happening; readonly webhook: Webhook; readonly tries: TryResult[] };

/** What became of a delivery at last; `dropped`: never sent, by a fault. */
export type Outcome = 'acknowledged' | 'refused' | 'dropped';

/** A delivery that did not arrive, with the result of each try. */
export type FailedDelivery = UploadIds & {
  readonly event: EventType;
  readonly webhook: Pick<Webhook, 'id' | 'name' | 'url'>;
  readonly tries: readonly TryResult[];
};

/** An event that no subscription ever acknowledged: none listed it, or what became of the last of its deliveries. */
export type LostEvent = UploadIds & {
  readonly event: EventType;
  readonly reason: 'unsubscribed' | 'refused' | 'dropped';
};

/** Deliveries by their outcome; `sent` and `retried` count tries. `byResult`: tries by their HTTP status or its lack. */
export type DeliveryCounts = Readonly<Record<'sent' | 'retried' | 'pending' | Outcome, number>> & {
  readonly byResult: Readonly<Record<string, number>>;
};

/** Counts all deliveries, and keeps those that did not arrive. */
export function createTally() {
  const counts = { sent: 0, retried: 0, pending: 0, acknowledged: 0, refused: 0, dropped: 0 };
  const byResult: Record<string, number> = {};
  const failed = { refused: [] as FailedDelivery[], dropped: [] as FailedDelivery[] };
  const lost: LostEvent[] = [];
  const waiting = new Set<() => void>();

  return {
    /** An event has happened: gives one delivery for each of the subscriptions. */
    begin: (event: EventType, { userUpload, account, user }: UploadIds, webhooks: readonly Webhook[]): Delivery[] => {
      const ids = { userUpload, account, user };
      if (webhooks.length === 0) lost.push({ event, ...ids, reason: 'unsubscribed' });
      counts.pending += webhooks.length;
      const happening = { event, ids, open: webhooks.length, isAcknowledged: false };
      return webhooks.map((webhook) => ({ happening, webhook, tries: [] }));
    },
    tried: ({ tries }: Delivery, result: TryResult): void => {
      counts.sent += 1;
      if (tries.length > 0) counts.retried += 1;
      tries.push(result);
      byResult[result] = (byResult[result] ?? 0) + 1;
    },
    settle: ({ happening, webhook, tries }: Delivery, outcome: Outcome): void => {
      const { event, ids } = happening;
      counts[outcome] += 1;
      counts.pending -= 1;
      happening.open -= 1;
      if (outcome === 'acknowledged') happening.isAcknowledged = true;
      else {
        const { id, name, url } = webhook;
        failed[outcome].push({ event, ...ids, webhook: { id, name, url }, tries });
        if (happening.open === 0 && !happening.isAcknowledged) lost.push({ event, ...ids, reason: outcome });
      }
      if (counts.pending === 0) for (const finish of waiting) finish();
    },
    counts: (): DeliveryCounts => ({ ...counts, byResult }),
    failed,
    lost,
    /** Whether all deliveries, their retries too, have an outcome; answers when they have, at the latest after `limitMs`. */
    settled: async (limitMs: number): Promise<boolean> => {
      if (counts.pending === 0) return true;
      return new Promise((resolve) => {
        const finish = () => {
          clearTimeout(timer);
          waiting.delete(finish);
          resolve(counts.pending === 0);
        };
        const timer = setTimeout(finish, limitMs);
        waiting.add(finish);
      });
    },
  };
}
