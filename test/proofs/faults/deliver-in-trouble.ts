import type { WatchedPipeline } from '../../support/emulators/watched-pipeline.ts';
import { type Argyle, takeSteps } from './argyle.ts';
import { deliveriesIn, type Step } from './lives.ts';
import type { createMetricSums } from './metric-sums.ts';
import type { createTroubles } from './troubles.ts';

/** Takes all steps while there is trouble, lets the pipeline come to rest, and says how it went. */
export async function deliverInTrouble(
  pipeline: WatchedPipeline,
  argyle: Argyle,
  steps: readonly Step[],
  troubles: ReturnType<typeof createTroubles>,
  metrics: ReturnType<typeof createMetricSums>,
): Promise<void> {
  const deliveries = deliveriesIn(steps);
  const tell = () => console.log(`  ${deliveries.filter(({ firstSentMs }) => firstSentMs > 0).length} sent`);
  const ticking = setInterval(tell, 60_000);
  const calm = new AbortController();
  const raging = troubles.rage(pipeline, calm.signal);
  const startedMs = Date.now();
  await takeSteps(argyle, steps);
  const sentMs = Date.now();
  clearInterval(ticking);
  calm.abort();
  await raging;
  await pipeline.drained();
  console.log(`delivered in ${seconds(sentMs - startedMs)} s, queues empty ${seconds(Date.now() - sentMs)} s later`);

  for (const [trouble, times] of troubles.counts()) if (times > 0) console.log(`  ${trouble}: ${times}`);
  const { requests } = await argyle.control.state();
  for (const [answer, times] of Object.entries(requests.byAnswer)) console.log(`  ${answer}: ${times}`);
  for (const [name, sum] of metrics.sums()) console.log(`  ${name}: ${sum}`);
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1_000).toFixed(1);
}
