import fc from 'fast-check';
import { expect, test } from 'vitest';
import { maxReceiveCount, visibilityTimeoutSeconds } from '../../../functions/domain/retry-budget.ts';
import { sample, sampleBody, sqsRecord } from '../../support/builders/builders.ts';
import { setUpWorker } from '../../support/builders/worker.ts';

const sentMs = Date.parse(sample.receivedAt);
const sixHours = 6 * 3_600;

/** What happens to one receive of a message. `not started`: the worker crashes, times out or is throttled. */
const troubles = ['not started', 'store down', 'store down, not postponed'] as const;
type Trouble = (typeof troubles)[number];

test('no mixture of troubles makes a message a dead letter within six hours, and each message becomes one in the end', async () => {
  const anyReceive = fc.record({
    trouble: fc.constantFrom(...troubles),
    jitter: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  const anyMixture = fc.infiniteStream(anyReceive);
  await fc.assert(
    fc.asyncProperty(anyMixture, async (mixture) => {
      const { seconds, reason } = await deadLetterOf(mixture);
      expect(seconds).toBeGreaterThan(sixHours);
      // At most one more delay of an hour, and the visibility time-outs after it.
      expect(seconds).toBeLessThan(2 * sixHours);
      expect(['not_stored', undefined]).toContain(reason);
    }),
    { numRuns: 50 },
  );
});

test.each<[Trouble, string | undefined]>([
  ['store down', 'not_stored'],
  ['store down, not postponed', 'not_stored'],
  ['not started', undefined],
])('a message that meets only one trouble becomes a dead letter: %s, with the reason %s', async (trouble, reason) => {
  const letter = await deadLetterOf(repeat({ trouble, jitter: 0 }));
  expect(letter.reason).toBe(reason);
  expect(letter.seconds).toBeGreaterThan(sixHours);
  expect(letter.seconds).toBeLessThan(7.5 * 3_600);
});

type Receive = { readonly trouble: Trouble; readonly jitter: number };

/** Simulates the queue of one message with the real worker, until the worker or SQS moves it to the dead-letter queue. */
async function deadLetterOf(receives: Iterator<Receive>) {
  let seconds = 0;
  for (let receiveCount = 1; receiveCount <= maxReceiveCount; receiveCount += 1) {
    const { trouble, jitter } = receives.next().value as Receive;
    if (trouble === 'not started') {
      seconds += visibilityTimeoutSeconds;
      continue;
    }
    const { work, postponed, deadLetters } = setUpWorker({
      applyEvent: () => Promise.reject(new Error('the store is down')),
      nowMs: () => sentMs + seconds * 1_000,
      random: () => jitter,
    });
    await work([sqsRecord(sampleBody(), { receiveCount })]);
    const [letter] = deadLetters;
    if (letter) return { seconds, reason: letter.reason };
    const delaySeconds = postponed[0]?.[0]?.delaySeconds ?? Number.NaN;
    seconds += trouble === 'store down' ? delaySeconds : visibilityTimeoutSeconds;
  }
  return { seconds, reason: undefined };
}

function* repeat(receive: Receive): Generator<Receive> {
  for (;;) yield receive;
}
