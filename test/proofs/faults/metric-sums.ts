/** Adds up what the functions print of each metric, line by line: of a long run the lines are too many to be kept. */
export function createMetricSums(metrics: readonly string[]) {
  const sums = new Map(metrics.map((metric) => [metric, 0]));
  const patterns = metrics.map((metric) => [metric, new RegExp(`"${metric}":(\\d+)`)] as const);
  return {
    readLine: (line: string): void => {
      for (const [metric, printed] of patterns) {
        const value = Number(printed.exec(line)?.[1] ?? 0);
        if (value > 0) sums.set(metric, (sums.get(metric) ?? 0) + value);
      }
    },
    sums: (): ReadonlyMap<string, number> => sums,
  };
}
