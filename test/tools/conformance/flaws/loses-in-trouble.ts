import { setImmediate } from 'node:timers/promises';
import { readWebhook, reference } from '../reference.ts';
import type { Flaw } from './flaw.ts';

const { answer, enqueue, workOn } = reference;

/** Receivers that lose webhooks in trouble, or tell too much of it. */
export const losesInTrouble: readonly Flaw[] = [
  {
    name: 'acknowledges before it queues',
    steps: () => ({
      enqueue: async (world, message) => {
        enqueue(world, message).catch(() => undefined);
      },
    }),
    caughtBy: [
      'answers 503 with Retry-After while the queue is down',
      'does not answer 200 before the queue has the message',
    ],
  },
  {
    name: 'answers before the queue does',
    steps: () => ({ enqueue: (world, message) => Promise.race([enqueue(world, message), setImmediate()]) }),
    caughtBy: ['does not answer 200 before the queue has the message'],
  },
  {
    name: 'marks a delivery as had before it is queued',
    steps: () => {
      const had = new Set<string>();
      return {
        enqueue: async (world, message) => {
          const text = message.body.toString('latin1');
          if (had.has(text)) return;
          had.add(text);
          await enqueue(world, message);
        },
      };
    },
    caughtBy: ['records what is sent again after a 503'],
  },
  {
    name: 'does not say when to try again',
    steps: () => ({ answer: (status) => ({ code: answer(status).code }) }),
    caughtBy: ['answers 503 with Retry-After while the queue is down'],
  },
  {
    name: 'answers 400 when its queue is down',
    steps: () => ({ answer: (status) => (status === 'unavailable' ? { code: 400 } : answer(status)) }),
    caughtBy: [
      'answers 503 with Retry-After while the queue is down',
      'does not answer 200 before the queue has the message',
      'accepts nothing while it has no secret',
    ],
  },
  {
    name: 'drops the batch that holds poison',
    steps: () => ({
      workOn: async (steps, world, batch) => {
        if (batch.every(({ body }) => readWebhook(body))) await workOn(steps, world, batch);
      },
    }),
    caughtBy: [
      'applies the rest of a batch that holds poison',
      'puts poison, and nothing else, into the dead-letter queue',
    ],
  },
  {
    name: 'gives up the batch that holds poison',
    steps: () => ({
      workOn: async (steps, world, batch) => {
        if (batch.every(({ body }) => readWebhook(body))) await workOn(steps, world, batch);
        else world.dead.push(...batch);
      },
    }),
    caughtBy: [
      'applies the rest of a batch that holds poison',
      'puts poison, and nothing else, into the dead-letter queue',
    ],
  },
  {
    name: 'acknowledges poison',
    steps: () => ({
      workOn: (steps, world, batch) =>
        workOn(
          steps,
          world,
          batch.filter(({ body }) => readWebhook(body)),
        ),
    }),
    caughtBy: ['puts poison, and nothing else, into the dead-letter queue'],
  },
  {
    name: 'logs the body of what it does not understand',
    steps: () => ({ logLine: (status, { body }) => `${status} ${status === 'quarantined' ? body : ''}` }),
    caughtBy: ['logs no body, signature or secret'],
  },
  {
    name: 'logs the signature of what it refuses',
    steps: () => ({ logLine: (status, { signature }) => `${status} ${status === 'bad_signature' ? signature : ''}` }),
    caughtBy: ['logs no body, signature or secret'],
  },
];
