/** Numbers from 0 to below 1 that are the same for the same seed (Mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Times of arrivals in ascending order, milliseconds: independent of each other (Poisson), until `endMs`. */
export function* poisson(perSecond: number, endMs: number, random: () => number): Generator<number> {
  for (let timeMs = 0; ; ) {
    timeMs += (-Math.log(1 - random()) / perSecond) * 1_000;
    if (timeMs >= endMs) return;
    yield timeMs;
  }
}

/** So many arrivals, evenly within a time. */
export function* evenly(count: number, withinMs: number, startMs = 0): Generator<number> {
  for (let number = 0; number < count; number += 1) yield startMs + (number * withinMs) / count;
}
