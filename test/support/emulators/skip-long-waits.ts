import timers from 'node:timers/promises';

// Preloaded into a function's process: waits of 10 s and more end at once.
const { setTimeout } = timers;
timers.setTimeout = (milliseconds = 0, ...rest) => setTimeout(milliseconds >= 10_000 ? 0 : milliseconds, ...rest);
