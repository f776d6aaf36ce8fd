// Node loads this before a function's code: timers of 10 s and longer fire at once. The waits of a rotation take 10 s to 2
// minutes; all of its other timers are shorter.
const { setTimeout } = globalThis;
const setShortTimeout = (callback: () => void, milliseconds: number, ...values: []) =>
  setTimeout(callback, milliseconds >= 10_000 ? 0 : milliseconds, ...values);
globalThis.setTimeout = Object.assign(setShortTimeout, setTimeout) as typeof setTimeout;
