import { join } from 'node:path';
import { bundle, pathOf } from './bundle.ts';
import { median } from './measure-starts.ts';
import type { Endpoint } from './start-endpoint.ts';
import { lambdaEnvironment, runProcess } from './start-once.ts';

/** Microseconds per webhook that the functions compute by themselves, and per line that they print. */
export type OwnLogic = { readonly ingestUs: number; readonly workerUs: number; readonly telemetryUs: number };

/** Measures it in fresh processes; gives the medians. */
export async function measureOwnLogic(folder: string, endpoint: Endpoint, processes: number): Promise<OwnLogic> {
  const target = join(folder, 'own-logic');
  await bundle(pathOf('own-logic.ts'), target);
  const seen: OwnLogic[] = [];
  for (let run = 0; run < processes; run += 1)
    seen.push(await runProcess('own logic', join(target, 'index.js'), lambdaEnvironment(endpoint)));
  return {
    ingestUs: median(seen.map(({ ingestUs }) => ingestUs)),
    workerUs: median(seen.map(({ workerUs }) => workerUs)),
    telemetryUs: median(seen.map(({ telemetryUs }) => telemetryUs)),
  };
}
