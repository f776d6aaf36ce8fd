import { expect, test } from 'vitest';
import { eventTypes } from '../../../functions/domain/events.ts';
import { ingestService } from '../../../functions/domain/metric-names.ts';
import { assume } from '../../../tools/capacity/assumptions.ts';
import { startConnectedPipeline, until } from '../../support/emulators/local-pipeline.ts';
import { newUpload, webhookBody } from '../../support/fakes/argyle-sender.ts';

const assumed = assume();

test('calls, log lines and records in the local pipeline are those that the bill assumes', async () => {
  const pipeline = await startConnectedPipeline();
  const metricLines = () => pipeline.logLines.flatMap(readMetricLine);
  const startCalls = pipeline.calls.length;
  await pipeline.post(webhookBody('user_uploads.removed', newUpload()));
  await pipeline.drained();
  const actions = pipeline.calls.slice(startCalls).map(({ action }) => action);
  // The fake Argyle also sends the webhooks of a document.
  const ids = newUpload();
  await pipeline.argyle.uploadDocument(ids);
  for (const event of eventTypes.filter((name) => name !== 'user_uploads.removed'))
    await pipeline.post(webhookBody(event, ids));
  await pipeline.drained();
  const record = await pipeline.readRecord(ids.userUpload);
  await until(async () => new Set(metricLines().map(({ service }) => service)).size === 1 + eventTypes.length);
  await pipeline.stop();

  expect(actions.filter((action) => action !== 'GetSecretValue').toSorted()).toEqual(['SendMessage', 'UpdateItem']);
  for (const line of metricLines()) expect(line.bytes / assumedBytes(line), JSON.stringify(line)).closeTo(1, 0.25);
  expect(bytesOf(record) / (assumed.recordBytes + assumed.documentBytes)).closeTo(1, 0.25);
});

// Reads a line of ingest or a worker.
function readMetricLine(text: string) {
  const [json = '{}'] = /\{.*"_aws".*/.exec(text) ?? [];
  const line = JSON.parse(json) as Readonly<Record<string, unknown>>;
  const service = String(line.service);
  if (![ingestService, ...eventTypes].includes(service)) return [];
  return [{ service, bytes: json.length, records: Number(line.records), fetches: 'DocumentsWritten' in line }];
}

function assumedBytes({ service, records, fetches }: ReturnType<typeof readMetricLine>[number]): number {
  if (service === ingestService) return assumed.ingestLogBytes;
  const further = (records - 1) * assumed.workerLogBytesPerRecord;
  return assumed.workerLogBytes + further + (fetches ? assumed.documentLogBytes : 0);
}

// DynamoDB counts the names and values of all attributes.
function bytesOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return String(value).length;
  return Object.entries(value).reduce((sum, [name, member]) => sum + name.length + bytesOf(member), 0);
}
