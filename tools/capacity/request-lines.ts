import type { Assumptions } from './assumptions.ts';
import { type CostLine, costLine, monthSeconds } from './cost-line.ts';
import type { Load } from './load.ts';
import type { Measured } from './measure.ts';
import type { StackFacts } from './stack-facts.ts';

/** What a month at a steady rate is priced from. */
export type Priced = {
  readonly facts: StackFacts;
  readonly assumed: Assumptions;
  readonly measured: Measured;
  readonly load: Load;
};

const kilobyte = 1_024;
const gigabyte = kilobyte ** 3;
/** The attributes of a message and its signature are smaller than this. */
const overheadBytes = 1_024;

/** Requests and time from the gateway to the record: what each webhook costs. */
export function requestLines({ facts, assumed, measured, load }: Priced): readonly CostLine[] {
  const webhooks = load.webhooksPerSecond * monthSeconds;
  const batches = webhooks / load.batchFill;
  const units = (bytes: number, unitBytes: number) => Math.ceil(bytes / unitBytes);
  const webhookBytes = assumed.webhookBytes + overheadBytes;
  const { ingest, worker } = facts;
  const starts = (load.ingestEnvironments * monthSeconds) / (assumed.environmentHours * 3_600);
  const ingestSeconds = (webhooks * assumed.ingestMs + starts * assumed.coldStartMs) / 1_000;
  const workerSeconds = load.workerConcurrency * monthSeconds;
  return [
    costLine('floor', 'API: requests', 'httpApiRequest', webhooks * units(webhookBytes, 512 * kilobyte)),
    costLine('floor', 'Lambda: requests of ingest', 'lambdaRequest', webhooks),
    costLine('floor', 'SQS: sends', 'sqsRequest', webhooks * units(webhookBytes, 64 * kilobyte)),
    costLine('floor', 'DynamoDB: writes', 'dynamodbWrite', webhooks * units(measured.recordBytes, kilobyte)),
    costLine('batch', 'Lambda: time of ingest', ingest.duration, ingestSeconds * ingest.gigabytes),
    costLine('batch', 'SQS: receives that brought messages', 'sqsRequest', webhooks * load.receivesPerWebhook),
    costLine('batch', 'SQS: deletes, a batch each', 'sqsRequest', batches),
    costLine('batch', 'Lambda: requests of the workers', 'lambdaRequest', batches),
    costLine('batch', 'Lambda: time of the workers', worker.duration, workerSeconds * worker.gigabytes),
    costLine('batch', 'Answers sent to Argyle', 'dataOut', (webhooks * assumed.answerBytes) / gigabyte),
    // Keys never change: an entry is written with the document's first event.
    costLine(
      'index',
      `DynamoDB: entries of ${facts.table.indexes} indexes, once a document`,
      'dynamodbWrite',
      (webhooks / assumed.webhooksPerDocument) * facts.table.indexes,
    ),
  ];
}
