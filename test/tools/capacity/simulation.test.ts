import { describe, expect, test } from 'vitest';
import { createAgenda } from '../../../tools/capacity/simulation/agenda.ts';
import { evenly, poisson } from '../../../tools/capacity/simulation/arrivals.ts';
import { type FrontSetup, simulateFront } from '../../../tools/capacity/simulation/front.ts';
import type { QueueSetup, QueueTraffic } from '../../../tools/capacity/simulation/mapping.ts';
import { simulateQueue } from '../../../tools/capacity/simulation/queue.ts';
import { seededRandom } from '../../../tools/capacity/simulation/seeded-random.ts';

const setup: QueueSetup = {
  ...{ batchSize: 10, windowMs: 0, maxConcurrency: 50, maxReceiveCount: 16, inFlightLimit: 120_000 },
  ...{ firstPollers: 1, pollersAddedPerMinute: 60, longPollMs: 20_000, receiveMs: 10, deleteMs: 10, failMs: 100 },
  batchMs: () => 80,
};
const traffic = (arrivalsMs: Iterable<number>, facts: Partial<QueueTraffic> = {}): QueueTraffic => ({
  ...{ arrivalsMs, isDown: () => false, random: () => 0 },
  ...facts,
});

test('what is planned happens in the order of time, and of the plan at the same time', () => {
  const agenda = createAgenda();
  const happened: string[] = [];
  for (const [timeMs, name] of [
    [30, 'c'],
    [10, 'a'],
    [20, 'b'],
    [10, 'a too'],
    [90, 'never'],
  ] as const)
    agenda.at(timeMs, () => happened.push(`${agenda.nowMs()} ${name}`));
  agenda.at(20, () => agenda.at(25, () => happened.push('between')));

  agenda.run(50);

  expect(happened).toEqual(['10 a', '10 a too', '20 b', 'between', '30 c']);
});

test('arrivals come at their rate, and the same seed gives the same ones', () => {
  const arrivals = [...poisson(50, 1_000_000, seededRandom(7))];
  expect(arrivals.length).toBeGreaterThan(49_000);
  expect(arrivals.length).toBeLessThan(51_000);
  expect(arrivals).toEqual([...poisson(50, 1_000_000, seededRandom(7))]);
  expect([...evenly(4, 100)]).toEqual([0, 25, 50, 75]);
});

describe('a queue', () => {
  test('hands a lone message over at once, and full batches when messages wait', () => {
    // One is taken at once; the other 24 come while it is worked on.
    const { batches, applied, lastAppliedMs } = simulateQueue(setup, traffic([0, ...evenly(24, 50, 5)]));
    expect(batches).toEqual([1, 10, 10, 4]);
    expect(applied).toBe(25);
    // Four times: receive 10, work 80; delete 10 in between. A second poller comes after a second only.
    expect(lastAppliedMs).toBe(4 * 90 + 3 * 10);
  });

  test('waits for more while the window lasts, and no longer for a full batch', () => {
    const windowed = { ...setup, windowMs: 1_000 };
    expect(simulateQueue(windowed, traffic(evenly(5, 500))).batches).toEqual([5]);
    expect(simulateQueue(windowed, traffic(evenly(12, 100))).batches).toEqual([10, 2]);
  });

  test('gets more pollers while full batches leave messages behind, up to the limit', () => {
    const arrivalsMs = [...evenly(3_000, 1)];
    expect(simulateQueue(setup, traffic(arrivalsMs)).mostPollers).toBeGreaterThan(5);
    expect(simulateQueue({ ...setup, maxConcurrency: 3 }, traffic(arrivalsMs)).mostPollers).toBe(3);
  });

  test('is polled in vain while nothing comes', () => {
    const outcome = simulateQueue({ ...setup, firstPollers: 5 }, traffic([], { endMs: 0 }));
    expect(outcome.emptyReceives).toBe(0);
    // Nothing arrives for an hour: five long polls every 20 s, but for the last ones.
    const idle = simulateQueue({ ...setup, firstPollers: 5 }, traffic([3_600_001], { endMs: 3_600_000 }));
    expect(idle.emptyReceives).toBe((5 * 3_600) / 20);
  });

  test("postpones what fails by the product's back-off, and applies it after the outage", () => {
    const { postponements, applied, dead } = simulateQueue(setup, traffic([0], { isDown: (ms) => ms < 30_000 }));
    expect(postponements).toEqual([
      { receiveCount: 1, delaySeconds: 5 },
      { receiveCount: 2, delaySeconds: 10 },
      { receiveCount: 3, delaySeconds: 20 },
    ]);
    expect([applied, dead]).toEqual([1, 0]);
  });

  test('gives up after the last receive, which is over six hours later', () => {
    let lastTryMs = 0;
    const isDown = (timeMs: number) => {
      lastTryMs = timeMs;
      return true;
    };
    const { applied, dead, batches } = simulateQueue(setup, traffic([0, 1], { isDown }));
    expect([applied, dead]).toEqual([0, 2]);
    expect(batches.reduce((sum, records) => sum + records, 0)).toBe(2 * 16);
    expect(lastTryMs).toBeGreaterThan(6 * 3_600_000);
  });

  test('hands out nothing while too many messages are in flight', () => {
    const limited = { ...setup, inFlightLimit: 20 };
    const isDown = (timeMs: number) => timeMs < 4_000;
    const { mostInFlight, applied } = simulateQueue(limited, traffic(evenly(100, 100), { isDown }));
    expect(mostInFlight).toBe(20);
    expect(applied).toBe(100);
  });

  test('does the same again with the same random numbers', () => {
    const run = () =>
      simulateQueue(
        setup,
        traffic(poisson(50, 60_000, seededRandom(3)), { isDown: (ms) => ms < 9_000, random: seededRandom(4) }),
      );
    expect(run()).toEqual(run());
  });
});

describe('the front', () => {
  const front: FrontSetup = {
    ...{ perSecond: 100, burst: 200, concurrency: 1_000, environmentsIn10Seconds: 1_000 },
    ...{ ingestMs: 10, coldStartMs: 200, retryAfterMs: 30_000 },
  };

  test('accepts a burst up to its bucket, and the rest with the retry', () => {
    expect(simulateFront(front, evenly(300, 0))).toMatchObject({ accepted: 300, throttled: 100, lost: 0 });
  });

  test('loses what its bucket refuses twice', () => {
    expect(simulateFront(front, evenly(500, 0))).toMatchObject({ accepted: 400, throttled: 300, lost: 100 });
  });

  test('refuses what finds no execution environment', () => {
    const few = { ...front, burst: 1_000, concurrency: 150 };
    expect(simulateFront(few, evenly(200, 0))).toMatchObject({ accepted: 200, throttled: 50, mostEnvironments: 150 });
    const slow = { ...front, burst: 1_000, environmentsIn10Seconds: 80 };
    // The 80 are free again when the other 120 come back.
    expect(simulateFront(slow, evenly(200, 0))).toMatchObject({ accepted: 200, throttled: 120, mostEnvironments: 120 });
  });

  test('serves a steady rate with few environments', () => {
    expect(simulateFront(front, evenly(1_000, 10_000))).toMatchObject({ accepted: 1_000, throttled: 0 });
  });
});
