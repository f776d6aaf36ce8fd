import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { eventOf, events, eventTypes, type Slot } from '../functions/domain/events.ts';
import { eventsPage } from '../tools/docs/write-events.ts';

test.each(eventTypes)('%s has a fixture', (event) => {
  expect(JSON.parse(read(`fixtures/${event}.json`)).event).toBe(event);
});

test.each(eventTypes)('the events page has one row with all facts of %s', (event) => {
  const rows = eventsPage()
    .split('\n')
    .filter((line) => line.startsWith(`| \`${event}\` `));
  const cells = rows.flatMap((row) => row.split(/ +\| +|^\| | +\|$/)).filter((cell) => cell !== '');
  const { meaning, slot, failureImpact } = events[event];
  expect(cells).toEqual([`\`${event}\``, meaning, `\`${slot}\``, failureImpact]);
});

test.each(eventTypes)('%s is the event that writes its slot', (event) => {
  expect(eventOf(events[event].slot)).toBe(event);
});

test('an unknown slot has no event', () => {
  expect(() => eventOf('readAt' as Slot)).toThrow('No event of the catalogue writes readAt.');
});

test('docs/events.md is up to date; otherwise run `npm run docs`', () => {
  expect(read('../docs/events.md')).toBe(eventsPage());
});

function read(path: string): string {
  return readFileSync(new URL(path, import.meta.url), 'utf8');
}
