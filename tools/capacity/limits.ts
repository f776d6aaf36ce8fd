import { events, eventTypes } from '../../functions/domain/events.ts';
import { removalSlot } from '../../functions/domain/upload-record.ts';
import type { Assumptions } from './assumptions.ts';
import { loadAt, maxInFlight } from './load.ts';
import type { StackFacts } from './stack-facts.ts';

const rates = 'https://rate-limits.apis.io/rate-limits/aws-api-gateway/aws-api-gateway-rate-limits/';
const operator = 'https://docs.aws.amazon.com/lambda/latest/operatorguide/scaling-concurrency.html';
const invocations = 'https://fulgurion.com/blog/posts/lambda-scales-within-limits/';
const scaling = 'https://docs.aws.amazon.com/lambda/latest/dg/scaling-behavior.html';
const sqs = 'https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html';
const dynamodb = 'https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html';
const warmth = 'https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/warm-throughput-scenarios.html';
const secrets = 'https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html';
const request = 'Service Quotas';
const fixed = 'not possible';
const throttleSetting = '`requestsPerSecond` in `infra/ingest-api.ts`';
const mappingSetting = '`maxConcurrency` in `infra/event-pipeline.ts`';
// The share of event types whose document is fetched if there are credentials for Argyle.
const fetchingShare = eventTypes.filter((event) => events[event].slot !== removalSlot).length / eventTypes.length;

/** Default quotas of AWS, and Argyle's rate limit. Sources read on the date that prices.ts states. */
export const quotas = {
  gatewayRate: quota('API Gateway: all APIs', 10_000, 'requests/s', request, rates),
  gatewayBurst: quota('API Gateway: burst, all APIs', 5_000, 'requests', 'AWS raises it with the rate', rates),
  // Some new accounts have a quota of 10.
  lambdaConcurrency: quota('Lambda: concurrent executions, all functions', 1_000, 'executions', request, operator),
  lambdaRequests: quota('Lambda: ten times the concurrency', 10_000, 'invocations/s', request, invocations),
  lambdaScaling: quota('Lambda: new environments of one function', 1_000, 'in 10 s', fixed, scaling),
  queueInFlight: quota('SQS: messages in flight, each queue', maxInFlight, 'messages', 'support case', sqs),
  // Doubles within 30 minutes.
  tableWarm: quota('DynamoDB: a new on-demand table', 4_000, 'write units/s', '`WarmThroughput`, a day ahead', warmth),
  tableWrites: quota('DynamoDB: table, and each index', 40_000, 'write units/s', request, dynamodb),
  // One document, or one user or account in its index.
  partitionWrites: quota('DynamoDB: one partition', 1_000, 'write units/s', fixed, warmth),
  secretReads: quota('Secrets Manager: reads', 10_000, 'calls/s', fixed, secrets),
  argyleRequests: quota("Argyle's API, if documents are fetched", 50, 'requests/s', 'ask Argyle', 'a third party'),
};

/**
 * Returns quotas and the stack's own settings in the order in which a growing steady rate reaches them. `reachedAt` is infinite if
 * only bursts or outages reach the limit.
 */
export function limitsOf(facts: StackFacts, assumed: Assumptions) {
  const rate = 10_000;
  const load = loadAt(rate, facts, assumed);
  const maxConcurrency = facts.eventSources[0]?.maxConcurrency ?? Number.NaN;
  const throttle = quota('Our throttle of the API', facts.requestsPerSecond, 'requests/s', throttleSetting, 'template');
  const concurrency = quota('Our `maxConcurrency`', maxConcurrency, 'batches per event', mappingSetting, 'template');
  const usedPerWebhook = [
    [throttle, 1],
    [quotas.gatewayRate, 1],
    [quotas.gatewayBurst, 0],
    [quotas.lambdaConcurrency, (load.ingestConcurrency + load.workerConcurrency) / rate],
    [quotas.lambdaRequests, 1 + 1 / load.recordsPerBatch],
    [quotas.lambdaScaling, 0],
    [concurrency, load.workerConcurrency / facts.eventSources.length / rate],
    [quotas.queueInFlight, 0],
    [quotas.tableWarm, 1],
    [quotas.tableWrites, 1],
    [quotas.partitionWrites, 0],
    [quotas.secretReads, (load.ingestEnvironments * assumed.secretReads) / 60 / rate],
    [quotas.argyleRequests, fetchingShare],
  ] as const;
  return usedPerWebhook
    .map(([limit, used]) => ({ ...limit, reachedAt: limit.value / used }))
    .sort((one, other) => one.reachedAt - other.reachedAt);
}

function quota(name: string, value: number, unit: string, raiseBy: string, source: string) {
  return { name, value, unit, raiseBy, source };
}
