import { setTimeout as wait } from 'node:timers/promises';
import type { ArgyleControl, FakeSummary } from '../../../tools/fake-argyle/control.ts';
import { rotateSecret } from '../../../tools/local/secrets-manager.ts';
import { printVerdict, readOptions } from '../command-line.ts';
import { type Connected, withConnectedPipeline } from '../connected-pipeline.ts';

const usage = `usage: npm run proof -- rotation [--rate PER_SECOND] [--rotations N]

Rotates the webhook secret N times (default 1) on the local pipeline, with the bundled functions and without shortening their waits
(over 3 minutes each), while documents (default 50 a second) are uploaded to a fake Argyle. Every delivery must be
accepted, and every document must have its record. Before the first rotation, one with a key of another workspace must change
nothing.`;

// Time before the first rotation and after the last one: longer than ingest caches the secret and than Argyle waits to retry.
const marginSeconds = 65;

const options = readOptions(usage, { rate: 50, rotations: 1 });
const errors = await withConnectedPipeline({}, async (connected) => {
  const { pipeline, argyle } = connected;
  const end = new AbortController();
  const uploading = uploadDocuments(argyle, end.signal);
  const progress = setInterval(() => void argyle.state().then(printProgress, () => undefined), 30_000);
  await wait(marginSeconds * 1_000);
  await rotateWithWrongKey(connected);
  for (let rotation = 1; rotation <= options.rotations; rotation += 1) {
    const startedMs = Date.now();
    await rotateSecret(pipeline);
    console.log(`rotation ${rotation} took ${((Date.now() - startedMs) / 1_000).toFixed(0)} s`);
  }
  await wait(marginSeconds * 1_000);
  end.abort();
  const { ids, seconds } = await uploading;
  await argyle.settled(60_000);
  await pipeline.drained();
  clearInterval(progress);
  return verify(connected, ids, seconds);
});
printVerdict(errors, 'no delivery was refused or lost');

async function rotateWithWrongKey({ pipeline, argyle }: Connected): Promise<void> {
  await argyle.setFaults({ otherWorkspace: { uploads: 0, seed: 1 } });
  const token = 'with-a-wrong-key';
  const isRefused = await rotateSecret(pipeline, token).then(
    () => false,
    () => true,
  );
  await argyle.clearFaults();
  if (!isRefused) throw new Error('A rotation with a key of another workspace succeeded.');
  console.log('a rotation with a key of another workspace was refused');
}

function printProgress({ deliveries, webhooks }: FakeSummary): void {
  const { sent, pending, refused } = deliveries;
  console.log(`${webhooks.length} subscriptions, ${sent} sent, ${pending} pending, ${refused} refused`);
}

// Starts uploads at the requested rate, regardless of how long each of them takes.
async function uploadDocuments(argyle: ArgyleControl, signal: AbortSignal) {
  const startedMs = Date.now();
  const elapsedSeconds = () => (Date.now() - startedMs) / 1_000;
  const uploads: Promise<string>[] = [];
  while (!signal.aborted) {
    const due = Math.floor(elapsedSeconds() * options.rate);
    while (uploads.length < due) uploads.push(uploadDocument(argyle));
    await wait(10);
  }
  return { ids: await Promise.all(uploads), seconds: elapsedSeconds() };
}

async function uploadDocument(argyle: ArgyleControl): Promise<string> {
  for (;;) {
    try {
      return (await argyle.uploadDocument()).userUpload;
    } catch (error) {
      // The fake closed an idle connection just when it was used: retry.
      if (!(error instanceof TypeError)) throw error;
    }
  }
}

async function verify({ pipeline, argyle }: Connected, ids: readonly string[], seconds: number): Promise<string[]> {
  const { deliveries, lost, webhooks } = await argyle.state();
  let missing = 0;
  for (const id of ids) if (!(await pipeline.readRecord(id))) missing += 1;
  const rate = (count: number) => `${(count / seconds).toFixed(1)} a second`;
  console.log(`${ids.length} documents in ${seconds.toFixed(0)} s: ${rate(ids.length)}`);
  console.log(
    `${deliveries.sent} deliveries: ${rate(deliveries.sent)}, by answer ${JSON.stringify(deliveries.byResult)}`,
  );
  const counts = {
    'deliveries refused': deliveries.refused,
    'answers 401': deliveries.byResult['401'] ?? 0,
    'deliveries pending': deliveries.pending,
    'events lost': lost,
    'records missing': missing,
    'subscriptions too many or too few': Math.abs(webhooks.length - 1),
  };
  return Object.entries(counts).flatMap(([what, count]) => (count === 0 ? [] : [`${count} ${what}`]));
}
