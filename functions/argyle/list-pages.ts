import { type ArgylePage, listError } from './argyle-api.ts';

/** How far a list has been read. It can be saved, so that another invocation continues the list and still detects a cycle. */
export type ListPosition = {
  /** The full URL of the page to read next. Absent before the first page, and after the last one. */
  readonly nextPage?: string | undefined;
  readonly pagesRead: number;
  /** The URL of an earlier page, with which each further one is compared. */
  readonly comparedPage?: string | undefined;
};

export const listStart: ListPosition = { pagesRead: 0 };

/**
 * Returns the position after a page. Throws an ArgyleError when the list leads back to an earlier page, or has more than
 * `maxPages` pages. It compares with only one earlier URL, which it replaces after 1, 2, 4, 8 … pages (Brent's algorithm). It
 * therefore finds every cycle after at most three times as many pages as there are different URLs. The maximum ends a list whose
 * URLs never repeat.
 */
export function positionAfter(
  { pagesRead: before, comparedPage }: ListPosition,
  { next }: ArgylePage,
  maxPages: number,
): ListPosition {
  const pagesRead = before + 1;
  if (next === undefined) return { nextPage: undefined, pagesRead, comparedPage: undefined };
  if (next === comparedPage)
    throw listError(`Argyle's list has a cycle: its page ${pagesRead} names an earlier page as the next one.`);
  if (pagesRead >= maxPages)
    throw listError(`Argyle's list has more than ${maxPages} pages, the maximum that is read: it may be endless.`);
  const isPowerOfTwo = Number.isInteger(Math.log2(pagesRead));
  return { nextPage: next, pagesRead, comparedPage: isPowerOfTwo ? next : comparedPage };
}
