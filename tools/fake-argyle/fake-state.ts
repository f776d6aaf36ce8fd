import { createDeliveries, type DeliveryOptions } from './deliveries.ts';
import { createFaultInjector } from './faults.ts';
import { createUserUploads } from './user-uploads.ts';
import { createWebhooks } from './webhooks.ts';

/** API requests by method, path and status, and the maximum in any one second. */
export type RequestCounts = { readonly byAnswer: Readonly<Record<string, number>>; readonly maxInOneSecond: number };

export type FakeState = ReturnType<typeof createFakeState>;

/** Creates the empty state of a fake Argyle that listens on `origin`. */
export function createFakeState(origin: string, options: DeliveryOptions) {
  const webhooks = createWebhooks();
  const faults = createFaultInjector();
  const deliveries = createDeliveries(webhooks, faults, options);
  const uploads = createUserUploads(deliveries.fire);
  return { origin, webhooks, faults, deliveries, uploads, requests: createRequestCounter() };
}

function createRequestCounter() {
  const byAnswer: Record<string, number> = {};
  let recentMs: number[] = [];
  let maxInOneSecond = 0;
  return {
    /** Counts a request. Returns the number of requests in the last second, including this one. */
    begin: (): number => {
      const nowMs = performance.now();
      recentMs = [...recentMs.filter((ms) => ms > nowMs - 1_000), nowMs];
      maxInOneSecond = Math.max(maxInOneSecond, recentMs.length);
      return recentMs.length;
    },
    /** Counts its answer. Paths that differ only in an id count as one. */
    end: (method: string, path: string, status: number | string): void => {
      const key = `${method} ${path.replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/i, '{id}')} ${status}`;
      byAnswer[key] = (byAnswer[key] ?? 0) + 1;
    },
    counts: (): RequestCounts => ({ byAnswer, maxInOneSecond }),
  };
}
