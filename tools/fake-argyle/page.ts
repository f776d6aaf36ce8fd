/** Reads the items of a list below a position, newest first, each with its position. */
export type NewestFirst<T> = (before: number) => Iterable<readonly [position: number, item: T]>;

/** One page of a list. `next` is a full URL or null. The fake does not page backwards: `previous` is always null. */
export type Page<T> = { readonly next: string | null; readonly previous: null; readonly results: readonly T[] };

// Argyle's sizes, as documented for its other lists.
const defaultSize = 10;
const maxSize = 200;

/**
 * Reads the page that `limit` and `cursor` of a URL ask for, newest first, because Argyle's order is unknown. Changes between two
 * requests move no other item to another page. Returns undefined when the limit or the cursor is invalid.
 */
export function readPage<T>(
  list: NewestFirst<T>,
  url: URL,
  { origin, isCycling }: { readonly origin: string; readonly isCycling: boolean },
): Page<T> | undefined {
  const size = readSize(url.searchParams.get('limit'));
  const before = readCursor(url.searchParams.get('cursor'));
  if (size === undefined || before === undefined) return undefined;
  const items: (readonly [number, T])[] = [];
  for (const item of list(before)) {
    items.push(item);
    // Reads one item more than fits on the page, to find out whether there is a next page.
    if (items.length > size) break;
  }
  const first = isCycling ? Number.MAX_SAFE_INTEGER : undefined;
  const last = items.length > size ? items[size - 1]?.[0] : first;
  const results = items.slice(0, size).map(([, item]) => item);
  return { next: last === undefined ? null : linkTo(last, url, origin), previous: null, results };
}

function linkTo(position: number, url: URL, origin: string): string {
  const link = new URL(`${url.pathname}${url.search}`, origin);
  link.searchParams.set('cursor', Buffer.from(`before ${position}`).toString('base64'));
  return link.href;
}

function readSize(limit: string | null): number | undefined {
  if (limit === null) return defaultSize;
  const size = /^\d{1,9}$/.test(limit) ? Number(limit) : 0;
  return size > 0 ? Math.min(size, maxSize) : undefined;
}

function readCursor(cursor: string | null): number | undefined {
  if (cursor === null) return Number.POSITIVE_INFINITY;
  const [, position] = /^before (\d+)$/.exec(Buffer.from(cursor, 'base64').toString()) ?? [];
  return position === undefined ? undefined : Number(position);
}
