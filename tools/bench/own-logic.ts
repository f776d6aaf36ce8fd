import { writeSync } from 'node:fs';
import { createTelemetry } from '../../functions/aws/telemetry.ts';
import { type EventType, eventTypes } from '../../functions/domain/events.ts';
import type { QueueMessage } from '../../functions/domain/queue-message.ts';
import { createIngest } from '../../functions/ingest/handler.ts';
import { createWorker } from '../../functions/worker/handler.ts';
import { batchOf, measuredEvent, signedDelivery, webhooksPerCall } from './events.ts';
import { median } from './measure-starts.ts';
import { webhookSecret } from './webhook-secret.ts';

// A process of its own: what ingest and the worker compute by themselves, with fakes where AWS would be asked, and what one line of
// telemetry costs. Bundled before it runs, as the functions are.
const chunks = 80;
const callsPerChunk = 100;
const silent = { measure: () => undefined, error: () => undefined };
const secrets = { valid: async () => [webhookSecret], reread: async () => undefined };
const sent: QueueMessage[] = [];

const ingest = createIngest({
  secrets,
  sendMessage: async (_, message) => {
    sent[0] = message;
  },
  queueUrls: Object.fromEntries(eventTypes.map((event) => [event, event])) as Record<EventType, string>,
  quarantineQueueUrl: 'quarantine',
  telemetry: silent,
  nowMs: Date.now,
  deadlineMs: 6_500,
});
const work = createWorker({
  eventType: measuredEvent,
  applyEvent: async () => ({ kind: 'applied', isRemoved: false }),
  postponeMessages: async () => undefined,
  telemetry: silent,
  nowMs: Date.now,
  random: Math.random,
  budgetMs: 20_000,
});
const telemetry = createTelemetry();

void run();

async function run(): Promise<void> {
  const deliveries = Array.from({ length: callsPerChunk }, () => signedDelivery());
  const batches = Array.from({ length: callsPerChunk / 10 }, () => batchOf(webhooksPerCall.worker));
  const measured = { Accepted: 1, DurationMs: 12 };
  const fields = { deliveryId: 'id', status: 'accepted', event: measuredEvent, userUpload: 'id' };
  const ingestUs = await usPerItem(deliveries, ingest);
  const workerUs = (await usPerItem(batches, work)) / webhooksPerCall.worker;
  const telemetryUs = await usPerItem(deliveries, async () => telemetry.measure(measured, fields));
  writeSync(3, JSON.stringify({ ingestUs, workerUs, telemetryUs }));
  // The time limits of the last calls are still running.
  process.exit();
}

// The first half warms up. Of the others the fastest tenth counts: what else the machine does lengthens the rest.
async function usPerItem<T>(items: readonly T[], call: (item: T) => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let chunk = 0; chunk < 2 * chunks; chunk += 1) {
    const startedMs = performance.now();
    for (const item of items) await call(item);
    times.push(((performance.now() - startedMs) * 1_000) / items.length);
  }
  return median(
    times
      .slice(chunks)
      .sort((a, b) => a - b)
      .slice(0, chunks / 10),
  );
}
