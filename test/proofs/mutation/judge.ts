import { pureFiles } from '../../pure-files.ts';
import type { EquivalentMutant } from './equivalent-mutants.ts';

/** The part of Stryker's report that `judge` reads (mutation testing report schema, version 2). */
export type MutationReport = {
  readonly files: Readonly<Record<string, { readonly source: string; readonly mutants: readonly Mutant[] }>>;
};

type Mutant = {
  readonly mutatorName: string;
  readonly replacement?: string;
  readonly status: string;
  readonly location: { readonly start: { readonly line: number } };
};

type LocatedMutant = Mutant & { readonly file: string; readonly code: string };

const sharedRules = 'shared rules';

/** Minimum percentage of killed mutants. Entries are mostly wiring: killing their last mutants is not worth the tests. */
const floors = { rules: 95, entry: 85 } as const;

/**
 * Judges a report. All shared rules together, and each entry on its own, must reach their floor. Every survivor must be a
 * listed equivalent, which still counts as a survivor. A listed one that was killed or no longer exists is an error.
 */
export function judge(report: MutationReport, equivalents: readonly EquivalentMutant[]) {
  const mutants = Object.entries(report.files).flatMap(([file, { source, mutants }]) => {
    const lines = source.split('\n').map((line) => line.trim());
    return mutants.map((mutant) => ({ ...mutant, file, code: lines[mutant.location.start.line - 1] ?? '' }));
  });
  const groups = [...Map.groupBy(mutants, ({ file }) => (pureFiles.test(file) ? sharedRules : file))].map(judgeGroup);
  const survivors = mutants.filter(isSurvivor);
  const unlisted = survivors.filter((survivor) => !equivalents.some((listed) => isListed(survivor, listed)));
  const stale = equivalents.filter((listed) => !survivors.some((survivor) => isListed(survivor, listed)));
  return {
    scores: groups.map(({ score }) => score),
    errors: [
      ...(groups.length === 0 ? ['nothing was mutated'] : []),
      ...groups.flatMap(({ error }) => error ?? []),
      ...unlisted.map(
        ({ file, location, mutatorName, status, code, replacement }) =>
          `survived: ${file}:${location.start.line} ${mutatorName} (${status}): ${code} → ${replacement}`,
      ),
      ...stale.map(
        ({ file, line, replacement }) =>
          `no longer survives, remove it from the list: ${file}: ${line} → ${replacement}`,
      ),
    ],
  };
}

function judgeGroup([name, mutants]: readonly [string, readonly LocatedMutant[]]) {
  const count = (status: string) => mutants.filter((mutant) => mutant.status === status).length;
  const timedOut = count('Timeout');
  const killed = count('Killed') + timedOut;
  const survived = mutants.filter(isSurvivor).length;
  const percent = (100 * killed) / (killed + survived);
  const killedPercent = `${name}: ${percent.toFixed(1)} % killed`;
  const floor = name === sharedRules ? floors.rules : floors.entry;
  return {
    score: `${killedPercent} of ${killed + survived} mutants (${timedOut} by time-out, ${survived} survived), floor ${floor} %`,
    // A group without a mutant has NaN percent and is an error too.
    error: percent >= floor ? undefined : `${killedPercent} is under the floor of ${floor} %`,
  };
}

// `NoCoverage`: no test reaches the mutant. Mutants that do not compile or load count neither as killed nor as survived.
function isSurvivor({ status }: Mutant): boolean {
  return status === 'Survived' || status === 'NoCoverage';
}

function isListed({ file, mutatorName, code, replacement }: LocatedMutant, listed: EquivalentMutant): boolean {
  return (
    file === listed.file && mutatorName === listed.mutator && code === listed.line && replacement === listed.replacement
  );
}
