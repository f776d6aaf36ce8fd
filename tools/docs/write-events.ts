import { writeFileSync } from 'node:fs';
import { events } from '../../functions/domain/events.ts';
import { table } from './table.ts';

/** Returns the page docs/events.md: one table row per event of the catalogue. */
export function eventsPage(): string {
  const rows = Object.entries(events).map(([event, { meaning, slot, failureImpact }]) => [
    `\`${event}\``,
    meaning,
    `\`${slot}\``,
    failureImpact,
  ]);
  return `# Events

\`npm run docs\` generates this page from the catalogue, \`functions/domain/events.ts\`. Edit the catalogue, not this page.

Each event type has its own queue, dead-letter queue, worker and alarms. Its worker writes the time at which the event
was first received into one slot of the upload record.

${table(['Event', 'When Argyle sends it', 'Slot', 'Impact while it fails'], rows)}
`;
}

// Not `import.meta.main`: tools/run.mjs imports this file.
if (process.argv[1] === import.meta.filename)
  writeFileSync(new URL('../../docs/events.md', import.meta.url), eventsPage());
