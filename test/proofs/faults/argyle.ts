import { setTimeout as wait } from 'node:timers/promises';
import type { ArgyleControl } from '../../../tools/fake-argyle/control.ts';
import { isRetried } from '../../../tools/fake-argyle/webhook-request.ts';
import type { Answer } from '../../support/fakes/argyle-sender.ts';
import type { Delivery, Happening, Step } from './lives.ts';

/** Argyle as the run plays it: the fake, where things happen, and the way of its webhooks to us. */
export type Argyle = {
  readonly control: ArgyleControl;
  readonly post: (body: string) => Promise<Answer>;
  /** How many webhooks are on their way at once. */
  readonly connections: number;
  readonly retryDelayMs: number;
  /** Resolves when the queues are short enough for more. */
  readonly keepPace: () => Promise<void>;
};

const deliveriesBetweenLooks = 100;
// As Argyle does (shared facts: two third-party sources).
const answerLimitMs = 10_000;

/**
 * Takes the steps one after the other: lets things happen at the fake, and delivers, each webhook with one retry. Nothing
 * is sent before it has happened.
 */
export async function takeSteps(argyle: Argyle, steps: readonly Step[]): Promise<void> {
  const toRetry: Promise<void>[] = [];
  const due = dueDeliveries(argyle, steps);
  const sendSome = async () => {
    for await (const delivery of due) {
      delivery.firstSentMs = Date.now();
      if (await isToRetry(argyle, delivery)) {
        toRetry.push(wait(argyle.retryDelayMs).then(async () => void (await isToRetry(argyle, delivery))));
      }
    }
  };
  await Promise.all(Array.from({ length: argyle.connections }, sendSome));
  await Promise.all(toRetry);
}

async function* dueDeliveries({ control, keepPace }: Argyle, steps: readonly Step[]): AsyncGenerator<Delivery> {
  let sent = 0;
  for (const step of steps) {
    if ('happening' in step) await happen(control, step.happening);
    else {
      yield step.delivery;
      sent += 1;
      if (sent % deliveriesBetweenLooks === 0) await keepPace();
    }
  }
}

async function happen(control: ArgyleControl, happening: Happening): Promise<void> {
  const { isRemoved, upload } = await happening.happen(control);
  if (!isRemoved) happening.upload = upload;
}

async function isToRetry({ post }: Argyle, delivery: Delivery): Promise<boolean> {
  // As if the network between Argyle and us were down.
  if (delivery.isLost) return true;
  const answer = await Promise.race([
    post(delivery.body).catch(() => undefined),
    wait(answerLimitMs, undefined, { ref: false }),
  ]);
  if (answer?.code === 200) delivery.acknowledgedMs = Date.now();
  return answer === undefined || isRetried(answer.code);
}
