import { setTimeout as wait } from 'node:timers/promises';
import type { ArgyleControl } from '../../../tools/fake-argyle/control.ts';
import { nameOf } from '../../../tools/local/lambda.ts';
import { resolve } from '../../../tools/local/template.ts';
import type { Disturb, WatchedPipeline } from '../../support/emulators/watched-pipeline.ts';
import { nextPhase, type Phase, troubleOf } from './schedule.ts';

/** Makes trouble by a seeded schedule: `disturb` is for the functions' calls to AWS, `rage` is all the rest. */
export function createTroubles(argyle: ArgyleControl, random: () => number) {
  let phase: Phase | undefined;
  const counts = new Map<string, number>();
  const count = (what: string, times = 1) => counts.set(what, (counts.get(what) ?? 0) + times);
  const disturb: Disturb = (call) => {
    const disturbance = phase && troubleOf(phase).disturb?.(call, random);
    if (phase && disturbance) count(`${phase.name} (calls)`);
    return disturbance;
  };
  return {
    disturb,
    /** One phase after the other until `signal` aborts; then all is calm. */
    rage: async (pipeline: WatchedPipeline, signal: AbortSignal): Promise<void> => {
      while (!signal.aborted) {
        phase = nextPhase(phase, random);
        const { kill, argyle: failure } = troubleOf(phase);
        if (kill) count(`${phase.name} (processes)`, killAll(pipeline, kill));
        if (failure) {
          count(`${phase.name} (times)`);
          await argyle.setFaults({ failures: [{ path: '/v2/user-uploads/', ...failure }] });
        }
        await wait(phase.milliseconds);
        if (failure) await argyle.clearFaults();
      }
      phase = undefined;
    },
    /** How often something went wrong, by what it was. */
    counts: (): ReadonlyMap<string, number> => counts,
  };
}

function killAll({ functions, template, identities }: WatchedPipeline, whom: 'workers' | 'ingest'): number {
  const doomed =
    whom === 'workers'
      ? template.ofType('AWS::Lambda::EventSourceMapping').map(({ properties }) => properties.FunctionName)
      : template.ofType('AWS::ApiGatewayV2::Integration').map(({ properties }) => properties.IntegrationUri);
  const names = doomed.map((reference) => nameOf(resolve<string>(reference, identities)));
  const pids = names.flatMap((name) => functions.get(name)?.pids() ?? []);
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  return pids.length;
}
