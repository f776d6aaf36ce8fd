/** The date on which all sources of prices and quotas were read, from stored copies. */
export const readOn = '2026-11-24';

const million = 1_000_000;
const factual = 'https://www.factualminds.com/blog';
// `unverified`: AWS's own page, but its stored copy lacked the figure.
const sources = {
  cloudwatch: [`${factual}/amazon-cloudwatch-pricing-metrics-logs-alarms-dashboards/`, 'third party'],
  cloudwatchPricing: ['https://aws.amazon.com/cloudwatch/pricing/', 'unverified'],
  metrics: ['https://signoz.io/guides/cloudwatch-pricing', 'third party'],
  gateway: [
    'https://docs.aws.amazon.com/whitepapers/latest/best-practices-api-gateway-private-apis-integration/cost-optimization.html',
    'first party',
  ],
  eventBridge: ['https://cloudburn.io/blog/amazon-eventbridge-pricing', 'third party'],
  lambdaRequests: ['https://aws.amazon.com/lambda/pricing/', 'first party'],
  lambdaDuration: ['https://cloudchipr.com/blog/aws-lambda-pricing', 'third party'],
  sqs: ['https://cloudburn.io/blog/amazon-sqs-pricing', 'third party'],
  dynamodbWrites: ['https://airbyte.com/data-engineering-resources/dynamodb-pricing', 'third party'],
  dynamodb: ['https://aws.amazon.com/dynamodb/pricing/', 'first party'],
  dynamodbOptions: ['https://aws.amazon.com/dynamodb/pricing/on-demand/', 'unverified'],
  secrets: ['https://hivebook.wiki/wiki/aws-secrets-manager-rotated-secrets-dynamic-db-credentials-kms', 'third party'],
  traffic: ['https://www.apigatewaycost.com/aws', 'third party'],
} as const;

/** The prices of everything that this stack is billed for: dollars in us-east-1, without free tiers. */
export const prices = {
  httpApiRequest: price(1, million, 'requests of up to 512 KB', 'gateway', [[300 * million, 0.9]]),
  lambdaRequest: price(0.2, million, 'requests', 'lambdaRequests'),
  lambdaArm: price(0.0000133334, 1, 'GB-seconds', 'lambdaDuration', [[7_500 * million, 0.0000120001]]),
  lambdaX86: price(0.0000166667, 1, 'GB-seconds', 'lambdaDuration', [
    [6_000 * million, 0.000015],
    [15_000 * million, 0.000013334],
  ]),
  sqsRequest: price(0.4, million, 'requests of up to 64 KB', 'sqs', [[100_000 * million, 0.3]]),
  customEvent: price(1, million, 'events of up to 64 KB', 'eventBridge'),
  pipeRequest: price(0.4, million, 'requests of up to 64 KB, after filtering', 'eventBridge'),
  scheduledInvocation: price(1, million, 'invocations', 'eventBridge'),
  dynamodbWrite: price(0.625, million, 'write request units of 1 KB', 'dynamodbWrites'),
  dynamodbStorage: price(0.25, 1, 'GB-months', 'dynamodb'),
  dynamodbRecovery: price(0.2, 1, 'GB-months of point-in-time recovery', 'dynamodbOptions'),
  dynamodbStreamRead: price(0.02, 100_000, 'reads of a stream', 'dynamodbOptions'),
  logsIngested: price(0.5, 1, 'GB; the first tier, of 10 TB a month', 'cloudwatch'),
  logsStored: price(0.03, 1, 'GB-months, compressed', 'cloudwatchPricing'),
  customMetric: price(0.3, 1, 'metrics a month', 'metrics'),
  alarmMetric: price(0.1, 1, 'metrics of alarms a month', 'cloudwatchPricing'),
  dashboard: price(3, 1, 'dashboards a month', 'cloudwatch'),
  secret: price(0.4, 1, 'secrets a month', 'secrets'),
  secretRead: price(0.05, 10_000, 'calls', 'secrets'),
  dataOut: price(0.09, 1, 'GB sent to the internet', 'traffic'),
} as const;

export type PriceName = keyof typeof prices;

/** Returns the price of a month's units in dollars, with volume tiers. */
export function dollarsFor(name: PriceName, units: number): number {
  const { dollars, per, tiers } = prices[name];
  const all = [[0, dollars] as const, ...tiers];
  return all.reduce((sum, [from, tierDollars], index) => {
    const [end] = all[index + 1] ?? [Number.POSITIVE_INFINITY];
    return sum + (Math.max(0, Math.min(units, end) - from) * tierDollars) / per;
  }, 0);
}

// `tiers`: the dollars for the units of a month above a number of units.
function price(
  dollars: number,
  per: number,
  unit: string,
  sourceName: keyof typeof sources,
  tiers: readonly (readonly [aboveUnits: number, dollars: number])[] = [],
) {
  const [source, confidence] = sources[sourceName];
  return { dollars, per, unit, tiers, source, confidence };
}
