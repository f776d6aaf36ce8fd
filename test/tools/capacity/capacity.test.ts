import { readFileSync } from 'node:fs';
import { beforeAll, expect, inject, test } from 'vitest';
import { lineChart } from '../../../tools/capacity/chart.ts';
import { capacityFiles } from '../../../tools/capacity/write-capacity.ts';

let files: Readonly<Record<string, string>>;
beforeAll(async () => {
  files = await capacityFiles(inject('assemblies').production);
});

test.each(['capacity.md', 'capacity-cost.svg', 'capacity-batches.svg', 'capacity-outage.svg'])(
  'docs/%s is what `npm run docs` writes; run it otherwise',
  (name) => {
    expect(readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8')).toBe(files[name]);
  },
);

test('the page shows each of its charts', () => {
  const charts = Object.keys(files).filter((name) => name.endsWith('.svg'));
  expect(charts).toHaveLength(3);
  for (const name of charts) expect(files['capacity.md']).toContain(`](${name})`);
});

test('no figure of the page is missing', () => {
  expect(Object.values(files).join('\n')).not.toMatch(/NaN|undefined|Infinity/);
});

test('a chart has a line through its points, and what is named in it harms no markup', () => {
  const axis = { title: 'a < b', ticks: [[0, '0'] as const, [10, '10'] as const] };
  const chart = lineChart('A & B', axis, axis, [
    {
      name: '"c"',
      color: 'red',
      points: [
        [0, 0],
        [5, 10],
      ],
    },
  ]);
  expect(chart).toContain('points="78,330 404,62"');
  expect(chart).toContain('A &amp; B');
  expect(chart).toContain('a &lt; b');
  expect(chart).toContain('&quot;c&quot;');
});
