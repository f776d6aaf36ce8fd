import { readFileSync } from 'node:fs';
import { expect, inject, test } from 'vitest';
import { readTemplate } from '../../tools/local/template.ts';
import { allAssemblies } from '../support/synthesized-stack.ts';

const runbook = readFileSync(new URL('../../docs/runbook.md', import.meta.url), 'utf8');
const sections = new Map(
  runbook
    .split(/^## /m)
    .slice(1)
    .map((text) => [text.slice(0, text.indexOf('\n')), text]),
);
const alarms = allAssemblies.flatMap((name) =>
  readTemplate(inject('assemblies')[name])
    .ofType('AWS::CloudWatch::Alarm')
    .map(({ properties }) => properties.AlarmDescription as string),
);
const savedQueries = readTemplate(inject('assemblies').sandbox)
  .ofType('AWS::Logs::QueryDefinition')
  .map(({ properties }) => properties.Name.split('/').at(-1) as string);
const linked = new Set(alarms.map((description) => description.split('docs/runbook.md#')[1] ?? description));

test('every alarm links an existing section', () => {
  expect(alarms.length).toBeGreaterThan(0);
  expect([...linked].filter((section) => !sections.has(section))).toEqual([]);
});

test('every section has an alarm', () => {
  expect([...sections.keys()].filter((section) => !linked.has(section))).toEqual([]);
});

test.each([...sections])('%s explains what it means, where to look and what to do', (_, text) => {
  const parts = [...text.matchAll(/^\*\*(.+)\*\*/gm)].map(([, title]) => title);
  expect(parts).toEqual(['What it means.', 'Where to look.', 'What to do.']);
});

test.each([...sections])('%s names a command', (_, text) => {
  expect(text.split('**What to do.**')[1]).toMatch(/```sh\n(npm run uploads|npx cdk|aws) /);
});

test.each([...sections])('%s names an existing saved query', (_, text) => {
  expect(savedQueries.filter((name) => text.includes(`\`${name}\``))).not.toEqual([]);
});

test('every saved query is named in a section', () => {
  expect(savedQueries.filter((name) => !runbook.includes(`\`${name}\``))).toEqual([]);
});

test('its internal links lead to existing sections', () => {
  const targets = [...runbook.matchAll(/\]\(#([\w-]+)\)/g)].map(([, target = '']) => target);
  expect(targets.filter((target) => !sections.has(target))).toEqual([]);
});
