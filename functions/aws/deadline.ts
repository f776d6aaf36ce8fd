/**
 * Runs `work` with a signal that aborts after `limitMs`, and clears the timer when the work ends. `AbortSignal.timeout` would
 * keep its timer and listeners until the limit, for hundreds of finished requests under load.
 */
export async function withTimeLimit<Result>(
  limitMs: number,
  work: (deadline: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const deadline = new AbortController();
  const timer = setTimeout(
    () => deadline.abort(new DOMException('The time limit was reached.', 'TimeoutError')),
    limitMs,
  );
  try {
    return await work(deadline.signal);
  } finally {
    clearTimeout(timer);
  }
}

/** Returns the result of `work`, or rejects with the signal's reason if it aborts first. `work` then continues unobserved. */
export async function abortable<Result>(work: Promise<Result>, abortSignal: AbortSignal): Promise<Result> {
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
