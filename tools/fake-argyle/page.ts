/** What one page is read from: the items with their positions, from beside a position (or the far end) on, in one direction. */
export type Sequence<T> = (beside: number | undefined, step: 1 | -1) => Iterable<readonly [number, T]>;

/** One page of a list; `next` and `previous` are full URLs or null. */
export type Page<T> = {
  readonly next: string | null;
  readonly previous: string | null;
  readonly results: readonly T[];
};

type Cursor = { readonly beside: number; readonly step: 1 | -1 };

// Argyle's own (shared facts: documented for its other lists).
const usualSize = 10;
const largestSize = 200;

/**
 * The page that a list's URL asks for by `limit` and `cursor`, newest first: Argyle's order is unknown. Items that come or
 * go between two pages move no other. Undefined when the limit or the cursor is not one of ours.
 */
export function readPage<T>(sequence: Sequence<T>, url: URL, origin: string): Page<T> | undefined {
  const size = readSize(url.searchParams.get('limit'));
  const cursor = readCursor(url.searchParams.get('cursor'));
  if (size === undefined || cursor === 'wrong') return undefined;
  const step = cursor?.step ?? -1;
  const found = take(sequence(cursor?.beside, step), size);
  const items = step === -1 ? found : found.reverse();

  const link = (at: readonly [number, T] | undefined, direction: 1 | -1): string | null => {
    const beside = at?.[0] ?? cursor?.beside;
    if (beside === undefined || take(sequence(beside, direction), 1).length === 0) return null;
    const target = new URL(`${url.pathname}${url.search}`, origin);
    target.searchParams.set('cursor', writeCursor({ beside, step: direction }));
    return target.href;
  };
  return { next: link(items.at(-1), -1), previous: link(items[0], 1), results: items.map(([, item]) => item) };
}

function take<T>(items: Iterable<T>, count: number): T[] {
  const taken: T[] = [];
  for (const item of items) {
    taken.push(item);
    if (taken.length === count) break;
  }
  return taken;
}

function readSize(limit: string | null): number | undefined {
  if (limit === null) return usualSize;
  const size = /^\d{1,9}$/.test(limit) ? Number(limit) : 0;
  return size > 0 ? Math.min(size, largestSize) : undefined;
}

function writeCursor({ beside, step }: Cursor): string {
  return Buffer.from(`${step === 1 ? 'after' : 'before'} ${beside}`).toString('base64');
}

function readCursor(text: string | null): Cursor | undefined | 'wrong' {
  if (text === null) return undefined;
  const [, side, beside] = /^(after|before) (\d+)$/.exec(Buffer.from(text, 'base64').toString()) ?? [];
  return side ? { beside: Number(beside), step: side === 'after' ? 1 : -1 } : 'wrong';
}
