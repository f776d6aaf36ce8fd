import { writeFileSync } from 'node:fs';
import { synthesize } from '../local/synthesize.ts';
import { readTemplate } from '../local/template.ts';
import { assume } from './assumptions.ts';
import { readCapacity } from './capacity.ts';
import { capacityCharts } from './capacity-charts.ts';
import { capacityPage } from './capacity-page.ts';
import { measure } from './measure.ts';
import { readStackFacts } from './stack-facts.ts';

/** docs/capacity.md and its charts, by the names of their files in docs/, from a cloud assembly. */
export async function capacityFiles(assembly: string): Promise<Readonly<Record<string, string>>> {
  const facts = readStackFacts(readTemplate(assembly));
  const capacity = readCapacity(facts, await measure(assembly), assume());
  return { 'capacity.md': capacityPage(capacity), ...capacityCharts(capacity) };
}

if (import.meta.main) {
  const assembly = await synthesize({ stage: 'production' });
  try {
    for (const [name, text] of Object.entries(await capacityFiles(assembly.directory)))
      writeFileSync(new URL(`../../docs/${name}`, import.meta.url), text);
  } finally {
    await assembly.remove();
  }
}
