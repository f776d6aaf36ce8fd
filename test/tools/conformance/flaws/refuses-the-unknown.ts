import { isEventType } from '../../../../functions/domain/events.ts';
import { sampleEvent } from '../../../../tools/conformance/samples.ts';
import { apply, readWebhook, reference, type Steps } from '../reference.ts';
import type { Flaw } from './flaw.ts';

const { enqueue, receive } = reference;

/** Receivers that lose what is genuine and not understood, or make too much of it. */
export const refusesTheUnknown: readonly Flaw[] = [
  {
    name: 'parses before it verifies',
    steps: () => ({
      receive: async (steps, world, delivery) =>
        messageOf(delivery.body) === undefined ? 'bad_request' : receive(steps, world, delivery),
    }),
    caughtBy: [
      'refuses what is unsigned before it looks at what it says',
      'takes bytes that are no text as they were signed',
      'keeps every byte of what it does not understand',
      'quarantines what is no webhook',
      'quarantines an empty body',
      'keeps in the quarantine what it says it does',
    ],
  },
  {
    name: 'answers 400 to an unknown event',
    steps: () => refusing((body) => hasName(body) && !isEventType(String(messageOf(body)?.event))),
    caughtBy: [
      'quarantines an unknown event',
      'keeps in the quarantine what it says it does',
      'answers 503 with Retry-After while the queue is down',
    ],
  },
  {
    name: 'answers 400 to a webhook without its ids',
    steps: () => refusing((body) => isEventType(String(messageOf(body)?.event)) && !readWebhook(body)),
    caughtBy: ['quarantines a webhook without its ids', 'keeps in the quarantine what it says it does'],
  },
  {
    name: 'answers 400 to what is no webhook',
    steps: () => refusing((body) => body.length > 0 && !hasName(body)),
    caughtBy: [
      'takes bytes that are no text as they were signed',
      'keeps every byte of what it does not understand',
      'quarantines what is no webhook',
      'keeps in the quarantine what it says it does',
    ],
  },
  {
    name: 'answers 400 to an empty body',
    steps: () => refusing((body) => body.length === 0),
    caughtBy: ['quarantines an empty body', 'keeps in the quarantine what it says it does'],
  },
  {
    name: 'finds an event among what every object has',
    steps: () => ({
      readWebhook: (body) => {
        const { event } = messageOf(body) ?? {};
        if (typeof event === 'string' && event in {}) throw new Error(`${event} has no queue`);
        return readWebhook(body);
      },
    }),
    caughtBy: ['quarantines an unknown event', 'keeps in the quarantine what it says it does'],
  },
  {
    name: 'says quarantined, and throws it away',
    steps: () => ({ enqueue: async (world, message) => (message.event ? enqueue(world, message) : undefined) }),
    caughtBy: [
      'keeps every byte of what it does not understand',
      'keeps in the quarantine what it says it does',
      'answers 503 with Retry-After while the queue is down',
    ],
  },
  {
    name: 'records an unknown event as another one',
    steps: () => ({
      receive: async (steps, world, delivery) => {
        const status = await receive(steps, world, delivery);
        const known = { ...messageOf(delivery.body), event: sampleEvent };
        const webhook = status === 'quarantined' ? readWebhook(Buffer.from(JSON.stringify(known))) : undefined;
        if (webhook) apply(steps, world, webhook, world.now());
        return status;
      },
    }),
    caughtBy: ['makes no record of an unknown event'],
  },
];

// Refuses bodies that are signed.
function refusing(isRefused: (body: Buffer) => boolean): Partial<Steps> {
  return {
    receive: async (steps, world, delivery) => {
      const isSigned = steps.isSigned(delivery.body, delivery.signature, world.secret ?? '');
      return isSigned && isRefused(delivery.body) ? 'bad_request' : receive(steps, world, delivery);
    },
  };
}

function hasName(body: Buffer): boolean {
  return typeof messageOf(body)?.event === 'string';
}

function messageOf(body: Buffer): { readonly event?: unknown } | undefined {
  try {
    const message = JSON.parse(body.toString());
    return typeof message === 'object' && message !== null ? message : undefined;
  } catch {
    return undefined;
  }
}
