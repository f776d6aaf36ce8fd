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
