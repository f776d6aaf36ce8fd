import type { WatchedPipeline } from '../../support/emulators/watched-pipeline.ts';
import type { Happening } from './lives.ts';
import { type Item, wrongWith } from './oracle.ts';
import { fatesOf, type Reconciled, wrongAfter } from './reconciled.ts';

type Lives = readonly (readonly Happening[])[];
type Records = ReadonlyMap<string, Item>;

/** What is wrong with the records when all webhooks are over, and the records themselves. */
export async function judgeWebhooks(pipeline: WatchedPipeline, lives: Lives) {
  const records: Records = await pipeline.readRecords();
  const known = new Set(lives.map(idOf));
  const strangers = [...records.keys()].filter((id) => !known.has(id)).map((id) => `${id}: came from nowhere`);
  const wrong = lives.flatMap((life) => {
    const { status: _, ...record } = records.get(idOf(life)) ?? {};
    const found = wrongWith(records.has(idOf(life)) ? record : undefined, life);
    return found.map((what) => `${idOf(life)}: ${what}`);
  });
  return { records, wrong: [...strangers, ...wrong] };
}

/** What is wrong after reconciliation, `hours` of which have passed for what was written before: each lost event must be found. */
export async function judgeReconciliation(
  pipeline: WatchedPipeline,
  lives: Lives,
  before: Records,
  { hours, say }: { readonly hours: number; readonly say: (line: string) => void },
): Promise<readonly string[]> {
  const after: Records = await pipeline.readRecords();
  const judged = lives.map((life) => {
    const id = idOf(life);
    const records: Reconciled = { before: before.get(id), after: after.get(id), shiftedMs: hours * 3_600_000 };
    return { id, fates: fatesOf(life, records), wrong: wrongAfter(life, records) };
  });
  const fates = judged.flatMap(({ id, fates }) =>
    fates.map(([event, fate]) => ({ line: `${event} of ${id}: ${fate}`, fate })),
  );
  const lost = lives.flat().filter(({ deliveries }) => deliveries.every(({ isLost }) => isLost));
  say(`${fates.length} events never acknowledged, ${lost.length} of them lost on purpose:`);
  for (const { line } of fates) say(`  never acknowledged: ${line}`);
  for (const [fate, some] of Map.groupBy(fates, (of) => of.fate)) say(`  ${fate}: ${some.length}`);
  return [
    ...fates.filter(({ fate }) => fate === 'MISSING').map(({ line }) => line),
    ...judged.flatMap(({ id, wrong }) => wrong.map((what) => `${id}: ${what}`)),
    ...(fates.some(({ fate }) => fate === 'found') ? [] : ['no event was there for reconciliation to find']),
  ];
}

function idOf(life: readonly Happening[]): string {
  return life[0]?.ids.userUpload ?? '';
}
