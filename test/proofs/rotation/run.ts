import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type ArgyleControl, createArgyleControl, type FakeSummary } from '../../../tools/fake-argyle/control.ts';
import { startFakeArgyle } from '../../../tools/fake-argyle/fake-argyle.ts';
import { rotateSecret } from '../../../tools/local/rotate-secret.ts';
import { synthesize } from '../../../tools/local/synthesize.ts';
import { startWatchedPipeline, type WatchedPipeline } from '../../support/emulators/watched-pipeline.ts';

const usage = `usage: npm run test:rotation -- [--rate PER_SECOND] [--rotations N]

Rotates the webhook secret on the local pipeline, with the bundled functions and all of their waits (over 3 minutes each),
while documents are uploaded at a fake Argyle. Every delivery has to be accepted and every document to have its record.`;

// Before the first rotation and after the last: a cache's life, and Argyle's one retry.
const marginSeconds = 65;
const credentials = { apiKeyId: 'key', apiKeySecret: 'key-secret' };

const options = readOptions();
const assembly = await synthesize({ stage: 'sandbox', argyleCredentials: 'argyle/api-key' });
const fake = await startFakeArgyle({ port: 0, ...credentials });
try {
  process.exitCode = await run();
} finally {
  await fake.stop();
  await assembly.remove();
}

async function run(): Promise<number> {
  const control = createArgyleControl(fake.controlUrl);
  const standIn = { ...fake, credentials };
  const pipeline = await startWatchedPipeline(assembly.directory, 'secret-of-the-rotation', () => undefined, standIn);
  try {
    const stopped = new AbortController();
    const uploading = upload(control, stopped.signal);
    const ticking = setInterval(() => void control.state().then(tell, () => undefined), 30_000);
    await wait(marginSeconds * 1_000);
    for (let rotation = 1; rotation <= options.rotations; rotation += 1) {
      const startedMs = Date.now();
      await rotateSecret(pipeline);
      console.log(`rotation ${rotation} took ${seconds(startedMs)} s`);
    }
    await wait(marginSeconds * 1_000);
    stopped.abort();
    const { ids, tookSeconds } = await uploading;
    await control.settled(60_000);
    await pipeline.drained();
    clearInterval(ticking);
    return await report(pipeline, control, ids, tookSeconds);
  } finally {
    await pipeline.stop();
  }
}

function tell({ deliveries, webhooks }: FakeSummary): void {
  const { sent, pending, refused } = deliveries;
  console.log(`${webhooks.length} subscribed, ${sent} sent, ${pending} pending, ${refused} refused`);
}

/** Uploads documents at the wanted rate, whatever one of them takes. */
async function upload(control: ArgyleControl, signal: AbortSignal) {
  const startedMs = Date.now();
  const uploads: Promise<string>[] = [];
  while (!signal.aborted) {
    const due = Math.floor(((Date.now() - startedMs) / 1_000) * options.rate);
    while (uploads.length < due) uploads.push(uploadOne(control));
    await wait(10);
  }
  return { ids: await Promise.all(uploads), tookSeconds: (Date.now() - startedMs) / 1_000 };
}

async function uploadOne(control: ArgyleControl): Promise<string> {
  for (;;) {
    try {
      return (await control.uploadDocument()).userUpload;
    } catch (error) {
      // The fake closes idle connections; one that is used just then says nothing about the upload.
      if (!(error instanceof TypeError)) throw error;
    }
  }
}

async function report(
  pipeline: WatchedPipeline,
  control: ArgyleControl,
  ids: readonly string[],
  tookSeconds: number,
): Promise<number> {
  const { deliveries, lost, webhooks } = await control.state();
  let missing = 0;
  for (const id of ids) if (!(await pipeline.readRecord(id))) missing += 1;
  const perSecond = (count: number) => (count / tookSeconds).toFixed(1);
  console.log(`${ids.length} documents in ${tookSeconds.toFixed(0)} s: ${perSecond(ids.length)} a second`);
  console.log(
    `${deliveries.sent} deliveries: ${perSecond(deliveries.sent)} a second, by answer ${JSON.stringify(deliveries.byResult)}`,
  );
  console.log(`${deliveries.refused} refused, ${lost} events lost, ${missing} records missing`);
  console.log(`${webhooks.length} subscription at the end`);
  const isRight = deliveries.refused === 0 && !deliveries.byResult['401'] && lost === 0 && missing === 0;
  return isRight && webhooks.length === 1 && deliveries.pending === 0 ? 0 : 1;
}

function seconds(sinceMs: number): string {
  return ((Date.now() - sinceMs) / 1_000).toFixed(0);
}

function readOptions(): { readonly rate: number; readonly rotations: number } {
  try {
    const { values } = parseArgs({
      options: { rate: { type: 'string', default: '50' }, rotations: { type: 'string', default: '1' } },
    });
    const [rate, rotations] = [Number(values.rate), Number(values.rotations)];
    if (rate > 0 && Number.isInteger(rotations) && rotations > 0) return { rate, rotations };
    throw new Error('--rate and --rotations have to be numbers above 0.');
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    process.exit(2);
  }
}
