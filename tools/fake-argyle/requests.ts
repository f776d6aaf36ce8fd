/** What was asked of the API: how often by method, path and status, and the most in any one second. */
export type RequestCounts = { readonly byAnswer: Readonly<Record<string, number>>; readonly mostInOneSecond: number };

/** Counts requests, in the last second and ever. */
export type Requests = ReturnType<typeof createRequests>;

/** Makes the counters, all at zero. */
export function createRequests() {
  const byAnswer: Record<string, number> = {};
  let recentMs: number[] = [];
  let mostInOneSecond = 0;
  return {
    /** Takes note of a request that has come; gives how many came in the second up to now, this one too. */
    begin: (): number => {
      const nowMs = performance.now();
      recentMs = [...recentMs.filter((ms) => ms > nowMs - 1_000), nowMs];
      mostInOneSecond = Math.max(mostInOneSecond, recentMs.length);
      return recentMs.length;
    },
    /** Takes note of its answer; ids in the path count as one. */
    end: (method: string, path: string, status: number | string): void => {
      const key = `${method} ${path.replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/i, '{id}')} ${status}`;
      byAnswer[key] = (byAnswer[key] ?? 0) + 1;
    },
    counts: (): RequestCounts => ({ byAnswer, mostInOneSecond }),
  };
}
