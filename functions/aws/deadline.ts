/**
 * Runs `work` with a signal that aborts after `limitMs`, and stops its clock with the work. `AbortSignal.timeout` would keep its
 * timer, and what waits for the signal, until the time is up: under load, those of hundreds of requests that are long done.
 */
export async function within<Result>(
  limitMs: number,
  work: (deadline: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(new DOMException('The time is up.', 'TimeoutError')), limitMs);
  try {
    return await work(deadline.signal);
  } finally {
    clearTimeout(timer);
  }
}

/** What `work` comes to, or the signal's reason when it aborts first: `work` then goes on, and nobody heeds how it ends. */
export async function orAborted<Result>(work: Promise<Result>, abortSignal: AbortSignal): Promise<Result> {
  let abort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(abortSignal.reason);
    if (abortSignal.aborted) abort();
    else abortSignal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([aborted, work]);
  } finally {
    abortSignal.removeEventListener('abort', abort);
  }
}
