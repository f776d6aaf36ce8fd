import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AskArgyle } from '../../../functions/argyle/argyle-api.ts';
import { type ListPosition, listStart, positionAfter } from '../../../functions/argyle/list-pages.ts';
import { createWebhooks } from '../../../functions/argyle/webhooks.ts';
import { startArgyle } from '../../support/fakes/argyle-api.ts';

const permanent = { name: 'ArgyleError', isTransient: false };
const noLimit = Number.MAX_SAFE_INTEGER;
const key = { url: 'https://api.example.com/webhooks/argyle', name: 'uploads' };
const signal = AbortSignal.timeout(60_000);

describe('a list of pages', () => {
  test('is read to its last page', () => {
    expect(pagesUntilEnd(chain(10), noLimit)).toBe(10);
  });

  test('with a cycle after any number of pages ends with an error, after at most three times its pages', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.nat(299), (pages, backTo) => {
        const links = new Map([...chain(pages), [`${pages}`, `${Math.min(backTo, pages - 1) + 1}`]]);
        let read = 0;
        const count = (url: string) => {
          read += 1;
          return links.get(url);
        };
        expect(() => pagesUntilEnd({ get: count }, noLimit)).toThrow('names an earlier page as the next one.');
        expect(read).toBeLessThanOrEqual(3 * pages);
      }),
    );
  });

  test('of which no page is the same ends with an error at the maximum of pages', () => {
    const endless = { get: (url: string) => `${Number(url) + 1}` };
    expect(() => pagesUntilEnd(endless, 25)).toThrow('more than 25 pages');
    expect(pagesUntilEnd(chain(25), 25)).toBe(25);
  });

  test('is compared across invocations, because the position is saved', () => {
    const saved = (position: ListPosition): ListPosition => JSON.parse(JSON.stringify(position));
    const second = positionAfter(listStart, { results: [], next: 'b' }, noLimit);
    expect(() => positionAfter(saved(second), { results: [], next: 'b' }, noLimit)).toThrow('earlier page');
  });
});

describe("the list of Argyle's webhooks", () => {
  test('ends with an error when it leads back to an earlier page', async () => {
    const argyle = await startArgyle();
    try {
      for (let count = 0; count < 450; count += 1) await argyle.subscribe(`${key.url}/${count}`);
      await argyle.control.setFaults({ cyclingLists: true });
      const ask: AskArgyle = async (_, path) => {
        const { body } = await argyle.ask('GET', path);
        return { kind: 'ok', body };
      };
      const listing = createWebhooks(ask, 'argyle/key').listOwn(key, signal);
      await expect(listing).rejects.toMatchObject(permanent);
      await expect(listing).rejects.toThrow('names an earlier page as the next one.');
      const { byAnswer } = (await argyle.control.state()).requests;
      expect(byAnswer['GET /v2/webhooks 200']).toBeLessThanOrEqual(3 * 4);
    } finally {
      await argyle.stop();
    }
  });

  test('ends with an error after 50 pages, even if no page is the same', async () => {
    let requests = 0;
    const ask: AskArgyle = async () => {
      requests += 1;
      return { kind: 'ok', body: { results: [], next: `https://api.argyle.com/v2/webhooks?cursor=${requests}` } };
    };
    await expect(createWebhooks(ask, 'argyle/key').listOwn(key, signal)).rejects.toMatchObject(permanent);
    expect(requests).toBe(50);
  });
});

// A list of pages 1 to `pages`, as the link of each page.
function chain(pages: number): Map<string, string | undefined> {
  return new Map(Array.from({ length: pages }, (_, n) => [`${n + 1}`, n + 1 < pages ? `${n + 2}` : undefined]));
}

// The number of pages that were read from the page 1 on.
function pagesUntilEnd(links: { get: (url: string) => string | undefined }, maxPages: number): number {
  let position: ListPosition = listStart;
  do position = positionAfter(position, { results: [], next: links.get(position.nextPage ?? '1') }, maxPages);
  while (position.nextPage);
  return position.pagesRead;
}
