import { Agent } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import type { EventType } from '../../functions/domain/events.ts';
import type { FaultInjector } from './faults.ts';
import { isRetried, postWebhook, type TryResult, type UploadIds, webhookBody } from './webhook-request.ts';
import type { Webhook, Webhooks } from './webhooks.ts';

export type DeliveryOptions = {
  readonly retryDelayMs: number;
  readonly answerLimitMs: number;
  /** Maximum number of concurrent deliveries to one receiver. Others wait, and their time limit starts later. */
  readonly connections: number;
  readonly onLog: (line: string) => void;
};

/** Final result of a delivery. `dropped`: a fault prevented it from being sent. */
type Outcome = 'acknowledged' | 'refused' | 'dropped';

/** A delivery that did not arrive, with the result of each try. */
export type FailedDelivery = UploadIds & {
  readonly event: EventType;
  readonly webhook: Pick<Webhook, 'id' | 'name' | 'url'>;
  readonly tries: readonly TryResult[];
};

/** An event that no subscription acknowledged: none listed it, or its last delivery failed for this reason. */
export type LostEvent = UploadIds & {
  readonly event: EventType;
  readonly reason: 'unsubscribed' | 'refused' | 'dropped';
};

/** Deliveries by outcome; `sent` and `retried` count tries, as does `byResult`, by HTTP status or the reason for its absence. */
export type DeliveryCounts = Readonly<Record<'sent' | 'retried' | 'pending' | Outcome, number>> & {
  readonly byResult: Readonly<Record<string, number>>;
};

/** An event of a document. `open`: deliveries without an outcome. */
type UploadEvent = UploadIds & { readonly event: EventType; open: number; isAcknowledged: boolean };

type Delivery = { readonly uploadEvent: UploadEvent; readonly webhook: Webhook; readonly tries: TryResult[] };

/** Sends each event to every subscription that lists it, and keeps what did not arrive. */
export function createDeliveries(webhooks: Webhooks, faults: FaultInjector, options: DeliveryOptions) {
  const record = createDeliveryRecord();
  const agent = new Agent({ keepAlive: true, maxSockets: options.connections });

  const send = async (delivery: Delivery): Promise<TryResult> => {
    const { uploadEvent, webhook } = delivery;
    webhooks.markSent(webhook.id);
    const body = webhookBody(uploadEvent.event, webhook.name, uploadEvent);
    const result = await postWebhook(webhook.url, body, webhook.secret, { agent, limitMs: options.answerLimitMs });
    record.addTry(delivery, result);
    options.onLog(`${uploadEvent.event} ${uploadEvent.userUpload} to webhook ${webhook.id}: ${result}`);
    return result;
  };

  const deliver = async (delivery: Delivery): Promise<void> => {
    if (faults.isDropped()) return record.settle(delivery, 'dropped');
    await wait(faults.delayMs());
    let result = await send(delivery);
    if (isRetried(result)) {
      // Whether Argyle retries after the subscription was deleted is unknown; this fake does.
      await wait(options.retryDelayMs);
      result = await send(delivery);
    }
    // Which other codes Argyle counts as success is not documented.
    record.settle(delivery, result === 200 ? 'acknowledged' : 'refused');
  };

  return {
    ...record,
    /** Sends an event of a document to the current subscribers. */
    fire: (event: EventType, ids: UploadIds): void => {
      for (const delivery of record.begin(event, ids, webhooks.subscribersOf(event))) void deliver(delivery);
    },
  };
}

function createDeliveryRecord() {
  const counts = { sent: 0, retried: 0, pending: 0, acknowledged: 0, refused: 0, dropped: 0 };
  const byResult: Record<string, number> = {};
  const failed: Readonly<Record<'refused' | 'dropped', FailedDelivery[]>> = { refused: [], dropped: [] };
  const lost: LostEvent[] = [];
  return {
    failed,
    lost,
    counts: (): DeliveryCounts => ({ ...counts, byResult }),
    begin: (event: EventType, ids: UploadIds, subscribers: readonly Webhook[]): Delivery[] => {
      const { userUpload, account, user } = ids;
      if (subscribers.length === 0) lost.push({ event, userUpload, account, user, reason: 'unsubscribed' });
      counts.pending += subscribers.length;
      const uploadEvent = { event, userUpload, account, user, open: subscribers.length, isAcknowledged: false };
      return subscribers.map((webhook) => ({ uploadEvent, webhook, tries: [] }));
    },
    addTry: ({ tries }: Delivery, result: TryResult): void => {
      counts.sent += 1;
      if (tries.length > 0) counts.retried += 1;
      tries.push(result);
      byResult[result] = (byResult[result] ?? 0) + 1;
    },
    settle: ({ uploadEvent, webhook: { id, name, url }, tries }: Delivery, outcome: Outcome): void => {
      const { open, isAcknowledged, ...event } = uploadEvent;
      counts[outcome] += 1;
      counts.pending -= 1;
      uploadEvent.open -= 1;
      if (outcome === 'acknowledged') {
        uploadEvent.isAcknowledged = true;
        return;
      }
      failed[outcome].push({ ...event, webhook: { id, name, url }, tries });
      if (open === 1 && !isAcknowledged) lost.push({ ...event, reason: outcome });
    },
    /** Waits at most `limitMs` until every delivery, including its retry, has an outcome. Returns whether that is so. */
    settled: async (limitMs: number): Promise<boolean> => {
      const endMs = performance.now() + limitMs;
      while (counts.pending > 0 && performance.now() < endMs) await wait(5);
      return counts.pending === 0;
    },
  };
}
