import { argyleProvocations } from './argyle-provocations.ts';
import { changesProvocations } from './changes-provocations.ts';
import { ingestProvocations } from './ingest-provocations.ts';
import type { Provocations } from './scene.ts';
import { workerProvocations } from './worker-provocations.ts';

/** How each kind of alarm is made to fire, by its section in the runbook. */
export const provocations: Provocations = {
  ...ingestProvocations,
  ...workerProvocations,
  ...argyleProvocations,
  ...changesProvocations,
};
