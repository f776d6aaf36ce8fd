import { setTimeout as wait } from 'node:timers/promises';
import type { EventType } from '../../functions/domain/events.ts';
import { isRetried } from '../../local/argyle/send-webhook.ts';
import type { Answer, UploadIds } from '../support/argyle-sender.ts';

/** One webhook that Argyle has to deliver, and what became of it. Times are epoch milliseconds. */
export type Delivery = {
  readonly event: EventType | 'unknown';
  readonly ids: UploadIds;
  readonly body: string;
  firstSentMs: number;
  acknowledgedMs?: number;
};

type Post = (body: string) => Promise<Answer>;

// As Argyle does (shared facts: two third-party sources).
const answerLimitMs = 10_000;

/** Delivers all in the given order over `connections`, each with one retry after `retryDelayMs`. */
export async function deliverAll(
  deliveries: readonly Delivery[],
  post: Post,
  { connections, retryDelayMs }: { readonly connections: number; readonly retryDelayMs: number },
): Promise<void> {
  const toRetry: Promise<void>[] = [];
  const left = deliveries.values();
  const sendSome = async () => {
    for (const delivery of left) {
      delivery.firstSentMs = Date.now();
      if (await isToRetry(delivery, post)) {
        toRetry.push(wait(retryDelayMs).then(async () => void (await isToRetry(delivery, post))));
      }
    }
  };
  await Promise.all(Array.from({ length: connections }, sendSome));
  await Promise.all(toRetry);
}

async function isToRetry(delivery: Delivery, post: Post): Promise<boolean> {
  const answer = await Promise.race([
    post(delivery.body).catch(() => undefined),
    wait(answerLimitMs, undefined, { ref: false }),
  ]);
  if (answer?.code === 200) delivery.acknowledgedMs = Date.now();
  return answer === undefined || isRetried(answer.code);
}
