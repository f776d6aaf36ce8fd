import { pureFiles } from '../../pure-files.ts';
import type { EquivalentMutant } from './equivalent-mutants.ts';

/** What the judge reads of Stryker's report (the mutation testing report schema, version 2). */
export type MutationReport = { readonly files: Readonly<Record<string, MutatedFile>> };

type MutatedFile = { readonly source: string; readonly mutants: readonly Mutant[] };

type Mutant = {
  readonly mutatorName: string;
  readonly replacement?: string;
  readonly status: string;
  readonly location: { readonly start: { readonly line: number } };
};

type LocatedMutant = Mutant & { readonly file: string; readonly code: string };

/** Lines to print: the score of each group, and what is wrong; nothing wrong is a pass. */
export type Verdict = { readonly scores: readonly string[]; readonly faults: readonly string[] };

const rules = 'shared rules';

/** Percent of mutants killed. An entry is wiring, whose last mutants cost more than they tell. */
const floors = { rules: 95, entry: 85 } as const;

/**
 * Judges a report: the domain, and each entry for itself, must reach its floor, and every survivor be a listed
 * equivalent. A listed one that was killed or is not there any more is stale. Equivalents count as survivors.
 */
export function judge(report: MutationReport, equivalents: readonly EquivalentMutant[]): Verdict {
  const mutants = Object.entries(report.files).flatMap(([file, mutated]) => locate(file, mutated));
  const groups = [...Map.groupBy(mutants, ({ file }) => (pureFiles.test(file) ? rules : file))].map(judgeGroup);
  const survivors = mutants.filter(isSurvivor);
  const isStale = (listed: EquivalentMutant) => !survivors.some((survivor) => isListed(survivor, listed));
  return {
    scores: groups.map(({ score }) => score),
    faults: [
      ...(groups.length === 0 ? ['nothing was mutated'] : []),
      ...groups.flatMap(({ fault }) => fault ?? []),
      ...survivors
        .filter((survivor) => !equivalents.some((listed) => isListed(survivor, listed)))
        .map((survivor) => `survived: ${describe(survivor)}`),
      ...equivalents
        .filter(isStale)
        .map(
          ({ file, line, replacement }) =>
            `not a survivor any more, take it off the list: ${file}: ${line} → ${replacement}`,
        ),
    ],
  };
}

function locate(file: string, { source, mutants }: MutatedFile): LocatedMutant[] {
  const lines = source.split('\n');
  return mutants.map((mutant) => ({ ...mutant, file, code: lines[mutant.location.start.line - 1]?.trim() ?? '' }));
}

function judgeGroup([name, mutants]: readonly [string, readonly LocatedMutant[]]) {
  const killed = mutants.filter(({ status }) => status === 'Killed' || status === 'Timeout').length;
  const survived = mutants.filter(isSurvivor).length;
  const percent = (100 * killed) / (killed + survived);
  const floor = name === rules ? floors.rules : floors.entry;
  const count = (status: string) => mutants.filter((mutant) => mutant.status === status).length;
  return {
    score: `${name}: ${percent.toFixed(1)} % killed of ${killed + survived} mutants (${count('Timeout')} by time-out, ${survived} survived), floor ${floor} %`,
    // Written so that a group without any mutant fails too.
    fault: percent >= floor ? undefined : `${name}: ${percent.toFixed(1)} % killed is under the floor of ${floor} %`,
  };
}

// `NoCoverage`: no test even reaches it. What does not compile or load is no mutant.
function isSurvivor({ status }: Mutant): boolean {
  return status === 'Survived' || status === 'NoCoverage';
}

function isListed({ file, mutatorName, code, replacement }: LocatedMutant, listed: EquivalentMutant): boolean {
  return (
    file === listed.file && mutatorName === listed.mutator && code === listed.line && replacement === listed.replacement
  );
}

function describe({ file, location, mutatorName, status, code, replacement }: LocatedMutant): string {
  return `${file}:${location.start.line} ${mutatorName} (${status}): ${code} → ${replacement}`;
}
