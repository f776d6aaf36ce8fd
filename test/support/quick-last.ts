import { BaseSequencer, type TestSpecification } from 'vitest/node';

// What starts neither a pipeline nor an engine: seconds at most.
const quick = /\/test\/(functions\/(domain|argyle)|infra|proofs\/(mutation|deploy))\//;

/** Leaves the quick files for the end: a long one that starts last would keep one worker busy while the others are done. */
export class QuickLast extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isQuick = ({ moduleId }: TestSpecification) => quick.test(moduleId);
    return [...sorted.filter((file) => !isQuick(file)), ...sorted.filter(isQuick)];
  }
}
