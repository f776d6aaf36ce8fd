import { Agent } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import type { EventType } from '../../functions/domain/events.ts';
import type { FaultInjector } from './faults.ts';
import { isRetried, sendWebhook, type TryResult } from './send-webhook.ts';
import { createTally, type Delivery } from './tally.ts';
import { type UploadIds, webhookBody, webhookHeaders } from './webhook-request.ts';
import type { Webhooks } from './webhooks.ts';

/** How the fake delivers. */
export type DeliveryOptions = {
  readonly retryDelayMs: number;
  readonly answerLimitMs: number;
  /** How many deliveries are under way at once; the others wait, and their time limit has not begun. */
  readonly connections: number;
  readonly onLog: (line: string) => void;
};

/** Sends each event to every subscription that lists it. */
export type Deliveries = ReturnType<typeof createDeliveries>;

/** Starts with nothing sent. */
export function createDeliveries(webhooks: Webhooks, faults: FaultInjector, options: DeliveryOptions) {
  const tally = createTally();
  const limit = createLimit(options.connections);
  const agent = new Agent({ keepAlive: true });

  const send = async (delivery: Delivery, body: string): Promise<TryResult> => {
    const { id, url, secret } = delivery.webhook;
    const result = await limit(() => {
      webhooks.markSent(id);
      const headers = webhookHeaders(body, secret);
      return sendWebhook(url, body, headers, { agent, limitMs: options.answerLimitMs });
    });
    tally.tried(delivery, result);
    options.onLog(`${delivery.happening.event} ${delivery.happening.ids.userUpload} to webhook ${id}: ${result}`);
    return result;
  };

  const deliver = async (delivery: Delivery): Promise<void> => {
    if (faults.isDropped()) return tally.settle(delivery, 'dropped');
    await wait(faults.delayMs());
    const { happening, webhook } = delivery;
    const body = webhookBody(happening.event, webhook.name, happening.ids);
    let result = await send(delivery, body);
    if (isRetried(result)) {
      // Whether Argyle tries again when the subscription is deleted meanwhile is unknown; this fake does.
      await wait(options.retryDelayMs);
      result = await send(delivery, body);
    }
    // Which other codes Argyle takes for a success is not documented.
    tally.settle(delivery, result === 200 ? 'acknowledged' : 'refused');
  };

  return {
    tally,
    /** Sends an event of a document to all that subscribe to it at this moment. */
    fire: (event: EventType, ids: UploadIds): void => {
      for (const delivery of tally.begin(event, ids, webhooks.listing(event))) void deliver(delivery);
    },
  };
}

function createLimit(most: number) {
  const waiting: (() => void)[] = [];
  let active = 0;
  return async <T>(task: () => Promise<T>): Promise<T> => {
    if (active >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    else active += 1;
    try {
      return await task();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else active -= 1;
    }
  };
}
