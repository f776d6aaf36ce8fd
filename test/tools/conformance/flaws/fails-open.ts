import { apply, readWebhook, reference } from '../reference.ts';
import type { Flaw } from './flaw.ts';

const { receive } = reference;

/** Receivers that verify, and still keep what nobody signed. */
export const failsOpen: readonly Flaw[] = [
  {
    name: 'fails open without a secret',
    steps: () => ({
      receive: (steps, world, delivery) =>
        world.secret
          ? receive(steps, world, delivery)
          : receive({ ...steps, isSigned: () => true }, { ...world, secret: 'none' }, delivery),
    }),
    caughtBy: ['accepts nothing while it has no secret'],
  },
  {
    name: 'takes its own lack of a secret for the fault of the sender',
    steps: () => ({
      receive: async (steps, world, delivery) => (world.secret ? receive(steps, world, delivery) : 'bad_signature'),
    }),
    caughtBy: ['accepts nothing while it has no secret'],
  },
  {
    name: 'keeps what it refuses in the quarantine',
    steps: () => ({
      receive: async (steps, world, delivery) => {
        const status = await receive(steps, world, delivery);
        if (status === 'bad_signature')
          await world.queue.send({ event: undefined, body: delivery.body, receivedAt: world.now() });
        return status;
      },
    }),
    caughtBy: ['queues nothing of what it refuses'],
  },
  {
    name: 'records before it verifies',
    steps: () => ({
      receive: async (steps, world, delivery) => {
        const webhook = readWebhook(delivery.body);
        if (webhook) apply(steps, world, webhook, world.now());
        return receive(steps, world, delivery);
      },
    }),
    caughtBy: ['records nothing of what it refuses'],
  },
];
