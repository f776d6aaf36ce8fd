import { describe, expect, test } from 'vitest';
import { evenly, poisson } from '../../../tools/capacity/simulation/arrivals.ts';
import { type QueueSetup, type QueueTraffic, simulateQueue } from '../../../tools/capacity/simulation/event-source.ts';
import { type IngestSetup, simulateIngest } from '../../../tools/capacity/simulation/ingest.ts';
import { seededRandom } from '../../../tools/capacity/simulation/seeded-random.ts';
import { createVirtualClock } from '../../../tools/capacity/simulation/virtual-clock.ts';

const setup: QueueSetup = {
  ...{ batchSize: 10, windowMs: 0, maxConcurrency: 50, maxReceiveCount: 125, maxInFlight: 120_000 },
  ...{ firstPollers: 1, pollersAddedPerMinute: 60, longPollMs: 20_000, receiveMs: 10, deleteMs: 10, failMs: 100 },
  batchMs: () => 80,
};
const traffic = (arrivalsMs: Iterable<number>, facts: Partial<QueueTraffic> = {}): QueueTraffic => ({
  ...{ arrivalsMs, isDown: () => false, random: () => 0 },
  ...facts,
});

test('actions run in the order of time, and of scheduling at the same time', () => {
  const clock = createVirtualClock();
  const random = seededRandom(1);
  const planned = Array.from({ length: 200 }, (_, order) => ({ order, timeMs: Math.floor(random() * 50) }));
  const seen: typeof planned = [];
  for (const { order, timeMs } of planned) clock.at(timeMs, () => seen.push({ order, timeMs: clock.nowMs() }));
  // In the past: it runs at once.
  clock.at(10, () => clock.at(5, () => seen.push({ order: 200, timeMs: clock.nowMs() })));
  clock.run(40);

  const due = [...planned, { order: 200, timeMs: 10 }].filter(({ timeMs }) => timeMs <= 40);
  expect(seen).toEqual(due.toSorted((one, other) => one.timeMs - other.timeMs || one.order - other.order));
});

test('arrivals have their rate, and the same seed repeats them', () => {
  const arrivals = [...poisson(50, 1_000_000, seededRandom(7))];
  expect(Math.abs(arrivals.length - 50_000)).toBeLessThan(1_000);
  expect(arrivals).toEqual([...poisson(50, 1_000_000, seededRandom(7))]);
  expect(evenly(4, 100)).toEqual([0, 25, 50, 75]);
});

describe('a queue', () => {
  test('passes on a single message at once, and full batches when messages wait', () => {
    // The first message is received at once. The other 24 arrive while it is processed. The local event source does the same.
    const { batches, applied, busyMs } = simulateQueue(setup, traffic([0, ...evenly(24, 50).map((ms) => ms + 5)]));
    expect([batches, applied, busyMs]).toEqual([[1, 10, 10, 4], 25, 4 * 80]);
  });

  test('fills a batch during its window, and does not wait once it is full', () => {
    const windowed = { ...setup, windowMs: 1_000 };
    expect(simulateQueue(windowed, traffic(evenly(5, 500))).batches).toEqual([5]);
    expect(simulateQueue(windowed, traffic(evenly(12, 100))).batches).toEqual([10, 2]);
  });

  test('gets more pollers while full batches leave messages behind, up to the maximum', () => {
    expect(simulateQueue(setup, traffic(evenly(3_000, 1))).maxPollers).toBeGreaterThan(5);
    expect(simulateQueue({ ...setup, maxConcurrency: 3 }, traffic(evenly(3_000, 1))).maxPollers).toBe(3);
  });

  test('is polled without result while no message arrives', () => {
    const idle = traffic([3_600_001], { endMs: 3_600_000 });
    const { emptyReceives } = simulateQueue({ ...setup, firstPollers: 5 }, idle);
    expect(emptyReceives).toBe((5 * 3_600) / 20);
  });

  test('postpones failed messages with the backoff of the workers, and applies them after the outage', () => {
    const { delaysSeconds, applied, dead } = simulateQueue(setup, traffic([0], { isDown: (ms) => ms < 30_000 }));
    expect([delaysSeconds, applied, dead]).toEqual([[5, 10, 20], 1, 0]);
  });

  test('moves messages to the dead-letter queue at their first failure after six hours', () => {
    const failuresMs: number[] = [];
    const failing = traffic([0, 1], { isDown: (ms) => failuresMs.push(ms) > 0 });
    const { applied, dead, maxInFlight } = simulateQueue(setup, failing);
    expect([applied, dead, maxInFlight]).toEqual([0, 2, 2]);
    const [last = 0, ...earlier] = failuresMs.toReversed();
    expect(last).toBeGreaterThan(6 * 3_600_000);
    expect(earlier.filter((ms) => ms > 6 * 3_600_000 + 1_000)).toHaveLength(1);
  });

  test('moves messages to the dead-letter queue instead of receiving them too often', () => {
    const { dead, delaysSeconds } = simulateQueue(
      { ...setup, maxReceiveCount: 2 },
      traffic([0], { isDown: () => true }),
    );
    expect([dead, delaysSeconds]).toEqual([1, [5, 10]]);
  });

  test('passes on no message while the maximum is in flight', () => {
    const failing = traffic(evenly(100, 100), { isDown: (ms) => ms < 4_000 });
    const { maxInFlight, applied, samples } = simulateQueue({ ...setup, maxInFlight: 20 }, failing);
    expect([maxInFlight, applied]).toEqual([20, 100]);
    expect(samples).toEqual([0, 30_000].map((timeMs) => ({ timeMs, visible: 0, inFlight: 0 })));
  });
});

describe('ingest', () => {
  const limits: IngestSetup = {
    ...{ perSecond: 100, burst: 200, concurrency: 1_000, ingestMs: 10, coldStartMs: 200, retryAfterMs: 30_000 },
  };

  test('accepts a burst beyond the token bucket with the retries, and loses what is refused twice', () => {
    expect(simulateIngest(limits, evenly(300, 0))).toMatchObject({ accepted: 300, throttled: 100, lost: 0 });
    expect(simulateIngest(limits, evenly(500, 0))).toMatchObject({ accepted: 400, throttled: 300, lost: 100 });
  });

  test('refuses webhooks without a free execution environment', () => {
    const few = { ...limits, burst: 1_000, concurrency: 150 };
    expect(simulateIngest(few, evenly(200, 0))).toMatchObject({ accepted: 200, throttled: 50, maxEnvironments: 150 });
  });

  test('reuses execution environments at a steady rate', () => {
    // Cold starts of 210 ms, an arrival every 10 ms.
    expect(simulateIngest(limits, evenly(1_000, 10_000))).toMatchObject({ accepted: 1_000, maxEnvironments: 22 });
  });
});
