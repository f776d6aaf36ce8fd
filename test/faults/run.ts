import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ReceiveMessageCommand, SetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { eventTypes } from '../../functions/domain/events.ts';
import { synthesize } from '../../local/synthesize.ts';
import { newUpload, webhookBody } from '../support/argyle-sender.ts';
import { seededRandom, shuffled } from '../support/seeded-random.ts';
import { startWatchedPipeline, type WatchedPipeline } from '../support/watched-pipeline.ts';
import { type Delivery, deliverAll } from './argyle.ts';
import { wrongWith } from './oracle.ts';
import { nextPhase, type Phase, troubleOf } from './schedule.ts';

const usage = `usage: npm run test:faults -- [--deliveries N] [--seed S] [--retry-delay SECONDS]

Delivers N webhooks (default 100000) as Argyle does while engines fail and functions die, then compares every record with an
oracle. The seed chooses deliveries, order and schedule. Argyle's 30 s before its retry are scaled to 2 s unless said.`;

// Messages of a killed worker come back after the queue's time-out: 180 s deployed, scaled here.
const visibilitySeconds = '10';
const poisonPerQueue = 3;

const options = readOptions();
console.log(`seed ${options.seed}: ${options.deliveries} deliveries`);
const assembly = await synthesize({ stage: 'sandbox' });
try {
  process.exitCode = await run(assembly.directory);
} finally {
  await assembly.remove();
}

async function run(directory: string): Promise<number> {
  const random = seededRandom(options.seed);
  const scheduleRandom = seededRandom(options.seed + 1);
  let phase: Phase | undefined;
  const troubles = new Map<string, number>();
  const count = (trouble: string, times = 1) => troubles.set(trouble, (troubles.get(trouble) ?? 0) + times);
  const pipeline = await startWatchedPipeline(directory, 'secret-of-the-faults', (call) => {
    const disturbance = phase && troubleOf(phase).disturb?.(call, scheduleRandom);
    if (phase && disturbance) count(`${phase.name} (calls)`);
    return disturbance;
  });
  try {
    for (const event of eventTypes) await preparePoison(pipeline, event);
    const deliveries = makeDeliveries(random);
    const stopped = new AbortController();
    const phases = (async () => {
      while (!stopped.signal.aborted) {
        phase = nextPhase(phase, scheduleRandom);
        count(`${phase.name} (processes)`, kill(pipeline, troubleOf(phase).kill));
        await wait(phase.milliseconds);
      }
      phase = undefined;
    })();
    const startedMs = Date.now();
    await deliverAll(deliveries, pipeline.post, { connections: 16, retryDelayMs: options.retryDelaySeconds * 1_000 });
    stopped.abort();
    await phases;
    const sentMs = Date.now();
    await pipeline.drained();
    console.log(`delivered in ${seconds(sentMs - startedMs)} s, queues empty ${seconds(Date.now() - sentMs)} s later`);
    for (const [trouble, times] of troubles) if (times > 0) console.log(`  ${trouble}: ${times}`);
    return await report(pipeline, deliveries);
  } finally {
    await pipeline.stop();
  }
}

function makeDeliveries(random: () => number): Delivery[] {
  const made: Delivery[] = [];
  while (made.length < options.deliveries) {
    const ids = newUpload();
    const happened = eventTypes.filter(() => random() < 0.7);
    for (const event of happened) {
      const repeats = random() < 0.33 ? 2 : 1;
      for (let times = 0; times < repeats; times += 1) made.push(deliveryOf(event, ids));
    }
    if (random() < 0.02) made.push(deliveryOf('unknown', ids));
  }
  // Shuffled in windows: Argyle reorders what is close together, and all of one upload stays in flight at once.
  const windows = Array.from({ length: Math.ceil(made.length / 400) }, (_, index) =>
    made.slice(index * 400, index * 400 + 400),
  );
  return windows.flatMap((window) => shuffled(window, random)).slice(0, options.deliveries);
}

function deliveryOf(event: Delivery['event'], ids: Delivery['ids']): Delivery {
  return { event, ids, body: webhookBody(event === 'unknown' ? 'users.fully_synced' : event, ids), firstSentMs: 0 };
}

async function preparePoison(pipeline: WatchedPipeline, event: string): Promise<void> {
  const QueueUrl = pipeline.queueOf(event).url;
  await pipeline.sqs.send(
    new SetQueueAttributesCommand({ QueueUrl, Attributes: { VisibilityTimeout: visibilitySeconds } }),
  );
  for (let index = 0; index < poisonPerQueue; index += 1) {
    const receivedAt = new Date().toISOString();
    await pipeline.putOnQueue(event, `poison ${index}`, { event, receivedAt, deliveryId: 'poison' });
  }
}

function kill(pipeline: WatchedPipeline, whom: 'workers' | 'ingest' | undefined): number {
  if (!whom) return 0;
  const mapped = pipeline.template
    .ofType('AWS::Lambda::EventSourceMapping')
    .map(({ properties }) => properties.FunctionName.Ref as string);
  const doomed = [...pipeline.functions]
    .filter(([logicalId]) => mapped.includes(logicalId) === (whom === 'workers'))
    .flatMap(([, lambda]) => lambda.pids());
  for (const pid of doomed) process.kill(pid, 'SIGKILL');
  return doomed.length;
}

async function report(pipeline: WatchedPipeline, deliveries: readonly Delivery[]): Promise<number> {
  const wrong = await wrongRecords(pipeline, deliveries);
  const states = await pipeline.queueStates();
  const deadEvents = states.filter(({ event, dead }) => event !== 'quarantine' && dead !== poisonPerQueue);
  const quarantined = await bodiesOf(pipeline, pipeline.queueOf('quarantine').url);
  const lostUnknown = deliveries.filter(
    ({ event, acknowledgedMs, body }) => event === 'unknown' && acknowledgedMs !== undefined && !quarantined.has(body),
  );
  const never = deliveries.filter(({ acknowledgedMs }) => acknowledgedMs === undefined);

  console.log(`${deliveries.length - never.length} acknowledged, ${never.length} never acknowledged`);
  for (const { event, ids } of never) console.log(`  never acknowledged: ${event} of ${ids.userUpload}`);
  for (const line of wrong) console.error(`  wrong: ${line}`);
  for (const { ids } of lostUnknown)
    console.error(`  lost: the unknown event of ${ids.userUpload} is not in the quarantine`);
  for (const { event, dead } of deadEvents)
    console.error(`  ${event}: ${dead} dead letters, expected ${poisonPerQueue}`);
  const failures = wrong.length + lostUnknown.length + deadEvents.length;
  console.log(
    failures === 0 ? `ok: nothing lost, nothing wrong (seed ${options.seed})` : `FAILED (seed ${options.seed})`,
  );
  return failures === 0 ? 0 : 1;
}

async function wrongRecords(pipeline: WatchedPipeline, deliveries: readonly Delivery[]): Promise<readonly string[]> {
  const { uploads } = (await (await pipeline.fetchConsole('/console/state')).json()) as {
    uploads: Record<string, unknown>[];
  };
  const records = new Map(uploads.map(({ status: _, ...record }) => [record.userUpload, record]));
  const byUpload = Map.groupBy(
    deliveries.filter(({ event }) => event !== 'unknown'),
    ({ ids }) => ids.userUpload,
  );
  const strangers = [...records.keys()]
    .filter((id) => !byUpload.has(String(id)))
    .map((id) => `${id}: came from nowhere`);
  const wrong = [...byUpload].flatMap(([id, of]) => wrongWith(records.get(id), of).map((what) => `${id}: ${what}`));
  return [...strangers, ...wrong];
}

async function bodiesOf(pipeline: WatchedPipeline, QueueUrl: string): Promise<ReadonlySet<string>> {
  const bodies = new Set<string>();
  for (;;) {
    const command = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 3_600 });
    const { Messages = [] } = await pipeline.sqs.send(command);
    if (Messages.length === 0) return bodies;
    for (const { Body = '' } of Messages) bodies.add(Body);
  }
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1_000).toFixed(1);
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      deliveries: { type: 'string', default: '100000' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
      'retry-delay': { type: 'string', default: '2' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    process.exit(0);
  }
  const [deliveries, seed, retryDelaySeconds] = [values.deliveries, values.seed, values['retry-delay']].map(Number);
  if (!deliveries || seed === undefined || Number.isNaN(seed) || Number.isNaN(retryDelaySeconds))
    throw new Error(usage);
  return { deliveries, seed, retryDelaySeconds: retryDelaySeconds ?? 2 };
}
