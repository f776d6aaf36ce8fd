// Half of the connections that the AWS SDK opens at most, by default. It prints a warning when many more requests wait for one.
const partSize = 25;

/** Applies asynchronous work to all items, 25 at a time, and returns the results in the order of the items. */
export async function mapInParts<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (let start = 0; start < items.length; start += partSize)
    results.push(...(await Promise.all(items.slice(start, start + partSize).map(work))));
  return results;
}
