import type { Lifetime, StagesAt, SubscriptionWorld } from './fakes/subscription-world.ts';

// What ingest's cache and Argyle's one retry stretch a subscription's life to, and how long ingest may take to read the
// three stages one by one.
const cacheMs = 60_000;
const retryMs = 50_000;
const readingMs = 6_500;

/**
 * The subscriptions of which ingest, at its worst, would have refused a delivery: its secret was read up to 60 s before
 * the delivery, stage by stage, and the delivery came up to 50 s after the subscription had gone.
 */
export function refusalsIn({ lifetimes, history, nowMs }: SubscriptionWorld): readonly string[] {
  return lifetimes().flatMap((lifetime) => {
    const from = lifetime.fromMs - cacheMs;
    const until = Math.min((lifetime.untilMs ?? nowMs()) + retryMs, nowMs());
    const moments = history.flatMap(({ atMs, previousUntilMs }) =>
      [atMs, previousUntilMs].flatMap((edge) => [edge - readingMs - 1, edge - readingMs, edge - 1, edge, edge + 1]),
    );
    const readings = [from, until, ...moments].filter((moment) => moment >= from && moment <= until);
    const refused = readings.find((reading) => !isSeen(lifetime, reading, history));
    return refused === undefined ? [] : [`${lifetime.subscription.id} at ${refused - lifetime.fromMs} ms of its life`];
  });
}

/** The longest time, in milliseconds, in which no subscription was there, counted from the first. */
export function longestGapMs({ lifetimes, nowMs }: SubscriptionWorld): number {
  const edges = lifetimes().flatMap(({ untilMs }) => untilMs ?? []);
  const gaps = edges.map((edge) => {
    const isCovered = lifetimes().some(({ fromMs, untilMs = Infinity }) => fromMs <= edge && untilMs > edge);
    const next = Math.min(
      nowMs(),
      ...lifetimes()
        .map(({ fromMs }) => fromMs)
        .filter((fromMs) => fromMs > edge),
    );
    return isCovered ? 0 : next - edge;
  });
  return Math.max(0, ...gaps);
}

// Whether one of the stages holds the secret during the whole of a reading that begins now.
function isSeen({ subscription }: Lifetime, readingAtMs: number, history: readonly StagesAt[]): boolean {
  const first = history.findLastIndex(({ atMs }) => atMs <= readingAtMs);
  const during = history.filter(
    ({ atMs }, index) => index === Math.max(0, first) || (atMs > readingAtMs && atMs < readingAtMs + readingMs),
  );
  return ['AWSCURRENT', 'AWSPENDING', 'AWSPREVIOUS'].some((stage) =>
    during.every(
      ({ values, previousUntilMs }) =>
        values[stage] === subscription.secret && (stage !== 'AWSPREVIOUS' || readingAtMs + readingMs < previousUntilMs),
    ),
  );
}
