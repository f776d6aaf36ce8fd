import { expect, test } from 'vitest';
import { mapInParts } from '../../../tools/cli/map-in-parts.ts';
import { tableOf } from '../../../tools/cli/report.ts';

test('a table is aligned, with numbers to the right and a dash for a missing cell', () => {
  const rows = [{ name: 'long name', count: 7 }, { count: 1_000 }];

  expect(tableOf({ name: 'name', count: 'count' }, rows).split('\n')).toEqual([
    'name       count',
    'long name      7',
    '-           1000',
  ]);
});

test('a table may have 150,000 rows', () => {
  const rows = Array.from({ length: 150_000 }, (_, number) => ({ number }));

  expect(tableOf({ number: 'number' }, rows)).toHaveLength('number'.length + 150_000 * '\n149999'.length);
});

test('work on many items runs 25 at a time, and the results have the order of the items', async () => {
  let running = 0;
  let maxRunning = 0;
  const items = Array.from({ length: 60 }, (_, number) => number);

  const results = await mapInParts(items, async (number) => {
    running += 1;
    maxRunning = Math.max(maxRunning, running);
    // The later items of a part end first.
    for (let turn = number % 25; turn < 25; turn += 1) await Promise.resolve();
    running -= 1;
    return number * 2;
  });

  expect(maxRunning).toBe(25);
  expect(results).toEqual(items.map((number) => number * 2));
});
