import {
  CloudWatchClient,
  GetMetricDataCommand,
  type MetricDataQuery,
  paginateDescribeAlarms,
} from '@aws-sdk/client-cloudwatch';
import { SQSClient } from '@aws-sdk/client-sqs';
import { ingestMetrics, ingestService } from '../../functions/domain/metric-names.ts';
import { countMessages, findDeadLetterQueue } from '../messages/dead-messages.ts';
import { alarming, type Report, tableOf } from './report.ts';
import type { Target } from './target.ts';

type QueueStatus = {
  readonly event: string;
  readonly visible: number;
  readonly inFlight: number;
  readonly dead: number;
  /** Only CloudWatch knows it. */
  readonly oldestSeconds?: number;
};

type Status = {
  readonly stack: string;
  readonly queues: readonly QueueStatus[];
  readonly quarantined: number;
  /** When CloudWatch last saw one accepted, to the minute, within a day. */
  readonly lastWebhookAt?: string;
  /** The names of the alarms that fire. */
  readonly alarms?: readonly string[];
};

/** Prints queues, ages, dead letters, the last webhook and the firing alarms; gives whether a person is needed. */
export async function showStatus(target: Target, report: Report): Promise<boolean> {
  const status = await readStatus(target);
  report.result(status, textOf(status));
  return status.quarantined > 0 || status.queues.some(({ dead }) => dead > 0) || (status.alarms ?? []).length > 0;
}

async function readStatus(target: Target): Promise<Status> {
  const sqs = new SQSClient(target.clientOptions('SQS'));
  const queues = await Promise.all(
    Object.entries(target.queueUrls).map(async ([event, url]) => {
      const dead = (await countMessages(sqs, await findDeadLetterQueue(sqs, url))).visible;
      return { event, ...(await countMessages(sqs, url)), dead };
    }),
  );
  const quarantined = (await countMessages(sqs, target.quarantineQueueUrl)).visible;
  const status = { stack: target.stackName, queues, quarantined };
  // The local pipeline has no CloudWatch: what only that knows is left out.
  return target.isLocal ? status : { ...status, ...(await readCloudWatch(target, queues)) };
}

async function readCloudWatch(target: Target, queues: readonly QueueStatus[]) {
  const cloudwatch = new CloudWatchClient(target.clientOptions('CLOUDWATCH'));
  const alarms: string[] = [];
  const alarmPages = paginateDescribeAlarms(
    { client: cloudwatch },
    { AlarmNamePrefix: `${target.stackName}/`, StateValue: 'ALARM' },
  );
  for await (const { MetricAlarms = [] } of alarmPages)
    alarms.push(...MetricAlarms.map(({ AlarmName = '' }) => AlarmName));
  const now = Date.now();
  const { MetricDataResults = [] } = await cloudwatch.send(
    new GetMetricDataCommand({
      StartTime: new Date(now - 86_400_000),
      EndTime: new Date(now),
      MetricDataQueries: [
        acceptedQuery(target.stackName),
        ...queues.map(({ event }, index) => ageQuery(target.queueUrls[event as keyof Target['queueUrls']], index)),
      ],
    }),
  );
  const resultOf = (id: string) => MetricDataResults.find(({ Id }) => Id === id);
  const lastWebhookAt = resultOf('accepted')?.Timestamps?.[0]?.toISOString();
  return {
    alarms,
    ...(lastWebhookAt && { lastWebhookAt }),
    queues: queues.map((queue, index) => {
      const oldestSeconds = resultOf(`age${index}`)?.Values?.[0];
      return { ...queue, ...(oldestSeconds !== undefined && { oldestSeconds }) };
    }),
  };
}

function acceptedQuery(namespace: string): MetricDataQuery {
  const Dimensions = [{ Name: 'service', Value: ingestService }];
  return query('accepted', 'Sum', { Namespace: namespace, MetricName: ingestMetrics.accepted, Dimensions });
}

function ageQuery(queueUrl: string, index: number): MetricDataQuery {
  const Dimensions = [{ Name: 'QueueName', Value: queueUrl.split('/').at(-1) ?? '' }];
  return query(`age${index}`, 'Maximum', {
    Namespace: 'AWS/SQS',
    MetricName: 'ApproximateAgeOfOldestMessage',
    Dimensions,
  });
}

function query(
  Id: string,
  Stat: string,
  Metric: NonNullable<MetricDataQuery['MetricStat']>['Metric'],
): MetricDataQuery {
  return { Id, MetricStat: { Metric, Period: 60, Stat } };
}

function textOf({ stack, queues, quarantined, lastWebhookAt, alarms }: Status): string {
  const rows = queues.map(({ event, visible, inFlight, oldestSeconds, dead }) => [
    event,
    visible,
    inFlight,
    oldestSeconds ?? '-',
    dead,
  ]);
  const dead = queues.reduce((sum, queue) => sum + queue.dead, 0);
  return [
    stack,
    tableOf([['event', 'visible', 'in flight', 'oldest (s)', 'dead'], ...rows]),
    dead > 0 ? alarming(`${dead} dead letters: npx uploads dead list`) : 'no dead letters',
    quarantined > 0 ? alarming(`${quarantined} in quarantine: npx uploads quarantine list`) : 'nothing in quarantine',
    `last webhook: ${lastWebhookAt ?? (alarms ? 'none within a day' : 'known to CloudWatch only')}`,
    alarms === undefined ? 'alarms: known to CloudWatch only' : `alarms: ${alarms.map(alarming).join(', ') || 'none'}`,
  ].join('\n');
}
