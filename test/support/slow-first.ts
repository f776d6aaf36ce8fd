import { BaseSequencer, type TestSpecification } from 'vitest/node';

// These start a pipeline, a browser or the CLI.
const slow = /\/test\/(browser|end-to-end|operations|tools\/(capacity|cli|conformance))\//;

/**
 * Starts the slow files first: a slow file that starts last keeps one worker busy while the others have nothing to do.
 * Vitest sorts by the durations of the last run; without them, it sorts by file size, which is a poor estimate.
 */
export class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    if (files.some((file) => this.ctx.cache.getTestSpecificationResult(file))) return sorted;
    const isSlow = ({ moduleId }: TestSpecification) => slow.test(moduleId);
    return [...sorted.filter(isSlow), ...sorted.filter((file) => !isSlow(file))];
  }
}
