/** A quota of AWS, per account and region unless it says otherwise, with its default and where that stands. */
export type Quota = {
  readonly name: string;
  /** What is to be raised, in few words. */
  readonly short: string;
  readonly usual: number;
  readonly unit: string;
  /** Whether it can be raised, and how. */
  readonly raise: string;
  readonly source: string;
};

const lambda = 'https://docs.aws.amazon.com/lambda/latest/dg';
const dynamodb = 'https://docs.aws.amazon.com/amazondynamodb/latest/developerguide';

/** With how many pollers Lambda reads a standard queue, and how fast it adds some. services-sqs-scaling.html, read 2026-11-24. */
export const lambdaPolling = { firstPollers: 5, pollersAddedPerMinute: 300, longPollMs: 20_000 } as const;

/** Limits of a standard queue: about so many messages in flight (quotas-queues.html, read 2026-11-24). */
export const sqsLimits = { inFlight: 120_000 } as const;

/** The quotas that this stack can meet. All were read on the day that prices.ts says. */
export const quotas = {
  gatewayRate: {
    name: 'API Gateway: requests a second, all APIs',
    short: 'rate of API Gateway',
    usual: 10_000,
    unit: 'requests/s',
    raise: 'Service Quotas',
    source: 'https://rate-limits.apis.io/rate-limits/aws-api-gateway/aws-api-gateway-rate-limits/',
  },
  gatewayBurst: {
    name: 'API Gateway: burst, all APIs',
    short: 'burst of API Gateway',
    usual: 5_000,
    unit: 'requests at once',
    raise: 'AWS sets it with the rate',
    source: 'https://rate-limits.apis.io/rate-limits/aws-api-gateway/aws-api-gateway-rate-limits/',
  },
  lambdaConcurrency: {
    name: 'Lambda: concurrent executions, all functions (10 in some new accounts)',
    short: 'concurrent executions of Lambda',
    usual: 1_000,
    unit: 'executions at once',
    raise: 'Service Quotas',
    source: 'https://docs.aws.amazon.com/lambda/latest/operatorguide/scaling-concurrency.html',
  },
  lambdaRequests: {
    name: 'Lambda: invocations a second, ten times the concurrency',
    short: 'invocations a second of Lambda',
    usual: 10_000,
    unit: 'invocations/s',
    raise: 'Service Quotas: concurrent executions',
    source: 'https://fulgurion.com/blog/posts/lambda-scales-within-limits/',
  },
  lambdaScaling: {
    name: 'Lambda: new execution environments of one function in 10 s',
    short: 'scaling rate of Lambda',
    usual: 1_000,
    unit: 'environments',
    raise: 'cannot be raised',
    source: `${lambda}/scaling-behavior.html`,
  },
  queueInFlight: {
    name: 'SQS: messages in flight of one queue',
    short: 'messages in flight of SQS',
    usual: sqsLimits.inFlight,
    unit: 'messages',
    raise: 'a support case',
    source: 'https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html',
  },
  tableWarm: {
    name: 'DynamoDB: writes that a new on-demand table takes at once; it doubles within 30 minutes',
    short: 'warm throughput of the table and its indexes',
    usual: 4_000,
    unit: 'write units/s',
    raise: '`WarmThroughput` of the table, a day before it is needed',
    source: `${dynamodb}/warm-throughput-scenarios.html`,
  },
  tableWrites: {
    name: 'DynamoDB: writes of one on-demand table, and of one index',
    short: 'writes of the table',
    usual: 40_000,
    unit: 'write units/s',
    raise: 'Service Quotas',
    source: `${dynamodb}/ServiceQuotas.html`,
  },
  partitionWrites: {
    name: 'DynamoDB: writes of one partition: of one document, or of one user or account in its index',
    short: 'writes of a partition',
    usual: 1_000,
    unit: 'write units/s',
    raise: 'cannot be raised',
    source: `${dynamodb}/warm-throughput-scenarios.html`,
  },
  secretReads: {
    name: 'Secrets Manager: reads of secrets',
    short: 'reads of secrets',
    usual: 10_000,
    unit: 'calls/s',
    raise: 'cannot be raised',
    source: 'https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html',
  },
  argyleRequests: {
    name: "Argyle's API, with credentials only: requests a second, as a third party says",
    short: "requests to Argyle's API",
    usual: 50,
    unit: 'requests/s',
    raise: 'ask Argyle',
    source: 'no page of Argyle says it',
  },
} as const satisfies Record<string, Quota>;
