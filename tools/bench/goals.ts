import type { OwnLogic } from './measure-own-logic.ts';
import type { Measured } from './measure-starts.ts';
import type { PipelineRun } from './pipeline-run.ts';
import { webhooksServed } from './start-once.ts';
import { names, type Role } from './variants.ts';

/** A goal beside what was seen. */
export type Goal = {
  readonly text: string;
  readonly limit: number;
  readonly atLeast?: boolean;
  readonly seen: number;
  readonly unit: string;
};

/** All that one run of the benchmark measured. */
export type Results = {
  readonly starts: readonly Measured[];
  readonly ways: readonly Measured[];
  readonly ownLogic: OwnLogic;
  readonly pipeline: PipelineRun;
};

/** A variant's figures. Throws when it was not measured. */
export function figuresOf(starts: readonly Measured[], role: Role, name: string): Measured {
  const found = starts.find(({ variant }) => variant.role === role && variant.name === name);
  if (!found) throw new Error(`${name} (${role}) was not measured.`);
  return found;
}

/** The goals of the project, with what this run saw. */
export function goalsOf({ starts, ownLogic, pipeline }: Results): readonly Goal[] {
  const ingest = figuresOf(starts, 'ingest', names.deployed);
  const empty = figuresOf(starts, 'ingest', names.empty);
  const floor = figuresOf(starts, 'ingest', names.floor);
  const worker = figuresOf(starts, 'worker', names.deployed);
  const emptyWorker = figuresOf(starts, 'worker', names.empty);
  const ratio = (text: string, limit: number, seen: number): Goal => ({ text, limit, seen, unit: ' x' });
  return [
    ratio('ingest ready, of the empty function', 1.95, ingest.readyMs / empty.readyMs),
    ratio('ingest cold total, of the empty function', 3, ingest.coldMs / empty.coldMs),
    ratio("ingest cold total, of the floor's", 1.2, ingest.coldMs / floor.coldMs),
    ratio('worker ready, of the empty function', 2.05, worker.readyMs / emptyWorker.readyMs),
    { text: 'own logic of ingest, per webhook', limit: 10, seen: ownLogic.ingestUs, unit: ' µs' },
    ratio("ingest CPU per webhook, of the floor's", 2.5, ingest.warmCpuUs / floor.warmCpuUs),
    ratio('ingest peak memory, first call', 1.28, ingest.firstPeakMegabytes / empty.firstPeakMegabytes),
    ratio(`ingest peak memory, ${webhooksServed} webhooks later`, 1.28, ingest.peakMegabytes / empty.peakMegabytes),
    {
      text: 'local pipeline, from the first request to the last right record',
      limit: 500,
      atLeast: true,
      seen: pipeline.appliedPerSecond,
      unit: ' webhooks/s',
    },
  ];
}

/** Whether the goal was reached. */
export function isReached({ limit, atLeast = false, seen }: Goal): boolean {
  return atLeast ? seen >= limit : seen <= limit;
}
