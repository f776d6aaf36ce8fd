/** Arrival times in milliseconds until `endMs`, ascending and independent of each other (a Poisson process). */
export function* poisson(perSecond: number, endMs: number, random: () => number): Generator<number> {
  for (let timeMs = 0; ; ) {
    timeMs += (-Math.log(1 - random()) / perSecond) * 1_000;
    if (timeMs >= endMs) return;
    yield timeMs;
  }
}

/** `count` arrival times, evenly spread from 0 to `withinMs`. */
export function evenly(count: number, withinMs: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => (index * withinMs) / count);
}
