import { changeMetrics, documentMetrics, workerMetrics } from '../../functions/domain/metric-names.ts';
import type { Assumptions } from './assumptions.ts';
import { rejectUnpriced } from './billable-types.ts';
import { loadAt } from './load.ts';
import { dollarsFor, type PriceName } from './prices.ts';
import type { StackFacts } from './stack-facts.ts';

type Line = readonly [name: string, price: PriceName, units: number];

/**
 * What causes a cost. `webhooks`: the path of each webhook from the API to its record. `indexes`: entries of the table's indexes.
 * `logs` and `monitoring`: what operators need, but webhooks do not.
 */
type Group = 'webhooks' | 'indexes' | 'other' | 'logs' | 'monitoring';
type Month = ReturnType<typeof monthAt>;
export type Bill = ReturnType<typeof billAt>;

// AWS counts a month as 730 hours.
const monthSeconds = 730 * 3_600;

const kilobyte = 1_024;
const gigabyte = kilobyte ** 3;
// Upper bound for the size of a message's attributes, and of a webhook's signature.
const attributeBytes = 1_024;
// DynamoDB adds 100 bytes to each stored item and index entry. An index entry has the names and values of two ids.
const storedOverheadBytes = 100;
const indexEntryBytes = 'userUpload'.length + 36 + 'account'.length + 36;

/** Returns a month's bill at a steady rate. Throws when the template has a resource whose price is unknown. */
export function billAt(webhooksPerSecond: number, facts: StackFacts, assumed: Assumptions) {
  rejectUnpriced(facts.template);
  const month = monthAt(webhooksPerSecond, facts, assumed);
  const lines = [
    ...inGroup('webhooks', webhookLines(month)),
    ...inGroup('indexes', indexLines(month)),
    ...inGroup('other', [...otherLines(month), ...publishingLines(month)]),
    ...inGroup('logs', logLines(month)),
    ...inGroup('monitoring', monitoringLines(month)),
  ];
  return { facts, assumed, load: month.load, lines, storage: storageOf(month) };
}

// Returns the values from which the lines are calculated.
function monthAt(webhooksPerSecond: number, facts: StackFacts, assumed: Assumptions) {
  const load = loadAt(webhooksPerSecond, facts, assumed);
  const webhooks = webhooksPerSecond * monthSeconds;
  return { facts, assumed, load, webhooks, batches: webhooks / load.recordsPerBatch };
}

function inGroup(group: Group, lines: readonly Line[]) {
  return lines
    .filter(([, , units]) => units > 0)
    .map(([name, price, units]) => ({ group, name, price, units, dollars: dollarsFor(price, units) }));
}

/** Returns the sum of the lines in dollars a month, optionally of some groups only. */
export function total({ lines }: Bill, ...groups: readonly Group[]): number {
  const counted = lines.filter(({ group }) => groups.length === 0 || groups.includes(group));
  return counted.reduce((sum, { dollars }) => sum + dollars, 0);
}

/** Converts dollars a month into dollars per million webhooks. */
export function perMillion(dollars: number, webhooksPerSecond: number): number {
  return (dollars / (webhooksPerSecond * monthSeconds)) * 1_000_000;
}

function webhookLines({ facts, assumed, load, webhooks, batches }: Month): readonly Line[] {
  const { ingest, worker } = facts;
  const requestBytes = assumed.webhookBytes + attributeBytes;
  const ingestSeconds = (webhooks * assumed.ingestMs) / 1_000;
  const workerSeconds = load.workerConcurrency * monthSeconds;
  const units = (bytes: number, unitBytes: number) => webhooks * Math.ceil(bytes / unitBytes);
  return [
    ['API: requests', 'httpApiRequest', units(requestBytes, 512 * kilobyte)],
    ['API: responses', 'dataOut', (webhooks * assumed.responseBytes) / gigabyte],
    ['Lambda: requests of ingest', 'lambdaRequest', webhooks],
    ['Lambda: time of ingest', ingest.timePrice, ingestSeconds * ingest.gigabytes],
    ['SQS: sends', 'sqsRequest', units(requestBytes, 64 * kilobyte)],
    ['SQS: receives with messages', 'sqsRequest', webhooks * load.receivesPerWebhook],
    ['SQS: deletes, one per batch', 'sqsRequest', batches],
    ['Lambda: requests of the workers', 'lambdaRequest', batches],
    ['Lambda: time of the workers', worker.timePrice, workerSeconds * worker.gigabytes],
    ['DynamoDB: writes of records', 'dynamodbWrite', units(assumed.recordBytes, kilobyte)],
  ];
}

// The keys never change: an entry is written once, with the first event of a document.
function indexLines({ facts, assumed, webhooks }: Month): readonly Line[] {
  const entries = (webhooks / assumed.webhooksPerDocument) * facts.indexes;
  return [[`DynamoDB: entries of ${facts.indexes} indexes, one per document`, 'dynamodbWrite', entries]];
}

function otherLines({ facts, assumed, load, webhooks, batches }: Month): readonly Line[] {
  const { eventSources, fetchingShare } = facts;
  const secretReads = cacheReads(60, load.ingestEnvironments, webhooks) * assumed.secretReads;
  const keyReads = cacheReads(300, load.pollersPerEvent * eventSources.length * fetchingShare, batches * fetchingShare);
  const documentUnits = Math.ceil((assumed.recordBytes + assumed.documentBytes) / kilobyte);
  return [
    ['SQS: receives without messages', 'sqsRequest', load.emptyReceivesPerSecond * monthSeconds],
    ['Secrets Manager: secrets', 'secret', facts.count('AWS::SecretsManager::Secret') + Math.ceil(fetchingShare)],
    ['Secrets Manager: reads of the webhook secret', 'secretRead', secretReads],
    ["Secrets Manager: reads of Argyle's API key", 'secretRead', keyReads],
    ["DynamoDB: writes of documents from Argyle's API", 'dynamodbWrite', webhooks * fetchingShare * documentUnits],
  ];
}

// Each environment reads a cached value again with the first request after the cache has expired.
function cacheReads(cacheSeconds: number, environments: number, requestsPerMonth: number): number {
  return monthSeconds / (cacheSeconds / environments + monthSeconds / requestsPerMonth);
}

// The maximum: every webhook changes its record, and the pipe passes changes on one by one.
function publishingLines({ facts, assumed, webhooks }: Month): readonly Line[] {
  const pipes = facts.count('AWS::Pipes::Pipe');
  const seconds = (webhooks * pipes * assumed.workerMs) / 1_000;
  return [
    ['Pipes: changes of records', 'pipeRequest', webhooks * pipes],
    // Four reads a second of each shard; an idle table has one shard.
    ['Pipes: reads of the stream', 'dynamodbStreamRead', 4 * monthSeconds * pipes],
    ['Lambda: requests of record-changes', 'lambdaRequest', webhooks * pipes],
    ['Lambda: time of record-changes', facts.worker.timePrice, seconds * facts.worker.gigabytes],
    ['EventBridge: events', 'customEvent', webhooks * pipes],
  ];
}

function logLines({ facts, assumed, load, webhooks, batches }: Month): readonly Line[] {
  const { ingest, worker } = facts;
  const platformBytes = ({ hasPlatformLogs }: StackFacts['worker']) =>
    hasPlatformLogs ? assumed.platformLogBytes + 3 * assumed.logEventBytes : 0;
  const furtherBytes = (load.recordsPerBatch - 1) * assumed.workerLogBytesPerRecord;
  const workerBytes = assumed.workerLogBytes + furtherBytes + facts.fetchingShare * assumed.documentLogBytes;
  // Counts each variable of the format as 9 characters, the average of an accepted webhook.
  const accessLine = facts.accessLogFormat?.replaceAll(/\$context(\.\w+)+/g, '-'.repeat(9));
  const ingested = [
    ["Logs: ingest's lines", webhooks * (assumed.ingestLogBytes + assumed.logEventBytes)],
    ["Logs: the workers' lines", batches * (workerBytes + assumed.logEventBytes)],
    ['Logs: START, END, REPORT of ingest', webhooks * platformBytes(ingest)],
    ['Logs: START, END, REPORT of the workers', batches * platformBytes(worker)],
    ['Logs: access log of the API', accessLine ? webhooks * (accessLine.length + assumed.logEventBytes) : 0],
  ] as const;
  const bytes = ingested.reduce((sum, [, size]) => sum + size, 0);
  return [
    ...ingested.map(([name, size]): Line => [name, 'logsIngested', size / gigabyte]),
    ['Logs: storage for a month', 'logsStored', (bytes * assumed.logCompression) / gigabyte],
  ];
}

function monitoringLines({ facts }: Month): readonly Line[] {
  // In normal operation ingest prints two metrics: accepted webhooks and durations. Each worker prints durations, too.
  const perWorker = Object.keys(workerMetrics).length + 1 + facts.fetchingShare * Object.keys(documentMetrics).length;
  const perPipe = Object.keys(changeMetrics).length;
  const metrics = 2 + facts.eventSources.length * perWorker + facts.count('AWS::Pipes::Pipe') * perPipe;
  return [
    ['CloudWatch: custom metrics', 'customMetric', metrics],
    ['CloudWatch: alarm metrics', 'alarmMetric', facts.alarmMetrics],
    ['CloudWatch: dashboards', 'dashboard', facts.count('AWS::CloudWatch::Dashboard')],
  ];
}

function storageOf({ facts, assumed }: Month) {
  const documents = 1_000_000 / assumed.webhooksPerDocument;
  const recordBytes =
    assumed.recordBytes + Math.ceil(facts.fetchingShare) * assumed.documentBytes + storedOverheadBytes;
  const table = (documents * recordBytes) / gigabyte;
  const indexes = (documents * facts.indexes * (indexEntryBytes + storedOverheadBytes)) / gigabyte;
  const recovery = facts.isRecoverable ? dollarsFor('dynamodbRecovery', table) : 0;
  return { gigabytes: table + indexes, dollars: dollarsFor('dynamodbStorage', table + indexes) + recovery };
}
