import {
  CloudWatchClient,
  GetMetricDataCommand,
  type MetricDataQuery,
  paginateDescribeAlarms,
} from '@aws-sdk/client-cloudwatch';
import { SQSClient } from '@aws-sdk/client-sqs';
import { type EventType, eventTypes } from '../../functions/domain/events.ts';
import { ingestMetrics, ingestService } from '../../functions/domain/metric-names.ts';
import { fetchWithoutProxy } from '../local/loopback-fetch.ts';
import { countMessages, findDeadLetterQueue } from '../messages/dead-messages.ts';
import type { Printable } from '../terminal/printer.ts';
import { alarming, type Report, tableOf } from './report.ts';
import type { Target } from './target.ts';

type QueueStatus = {
  readonly event: EventType;
  readonly visible: number;
  readonly inFlight: number;
  /** The dead letters, including those that a reader has received. */
  readonly dead: number;
  readonly deadBeingRead: number;
  /** Absent on the local pipeline, which has no CloudWatch. */
  readonly oldestSeconds?: number;
};

type Status = {
  readonly stack: string;
  readonly queues: readonly QueueStatus[];
  /** The quarantined messages, including those that a reader has received. */
  readonly quarantined: number;
  readonly quarantinedBeingRead: number;
  /** When the last webhook was accepted. AWS reports it to the minute, and only within the last 24 hours. */
  readonly lastWebhookAt?: string;
  /** Names of the alarms in ALARM state. Absent on the local pipeline. */
  readonly alarms?: readonly string[];
};

/** Prints queues, ages, dead letters, the last webhook and the firing alarms. Returns false when action is needed. */
export async function showStatus(target: Target, report: Report): Promise<boolean> {
  const status = await readStatus(target);
  report.result(status, textOf(status, target.command));
  return status.quarantined === 0 && status.queues.every(({ dead }) => dead === 0) && !status.alarms?.length;
}

/** Prints the number of dead letters of each event and returns whether there are none. */
export async function listDead(target: Target, report: Report): Promise<boolean> {
  const queues = await readQueues(target);
  const counts = queues.map(({ event, dead, deadBeingRead: beingRead }) => ({ event, dead, beingRead }));
  report.result(counts, tableOf({ event: 'event', dead: 'dead', beingRead: 'being read' }, counts));
  return counts.every(({ dead }) => dead === 0);
}

async function readStatus(target: Target): Promise<Status> {
  const queues = await readQueues(target);
  const sqs = new SQSClient(target.clientOptions('SQS'));
  const { visible, inFlight: quarantinedBeingRead } = await countMessages(sqs, target.quarantineQueueUrl);
  const quarantined = visible + quarantinedBeingRead;
  const status = { stack: target.stackName, queues, quarantined, quarantinedBeingRead };
  return { ...status, ...(await (target.isLocal ? readLastWebhook(target) : readCloudWatch(target, queues))) };
}

async function readLastWebhook({ webhookUrl }: Target) {
  const response = await fetchWithoutProxy(new URL('/console/stack', webhookUrl));
  const { lastWebhookAt } = (await response.json()) as { readonly lastWebhookAt: string | null };
  return lastWebhookAt === null ? {} : { lastWebhookAt };
}

async function readQueues(target: Target): Promise<readonly QueueStatus[]> {
  const sqs = new SQSClient(target.clientOptions('SQS'));
  return Promise.all(
    eventTypes.map(async (event) => {
      const url = target.queueUrls[event];
      const dead = await countMessages(sqs, await findDeadLetterQueue(sqs, url));
      const counts = await countMessages(sqs, url);
      return { event, ...counts, dead: dead.visible + dead.inFlight, deadBeingRead: dead.inFlight };
    }),
  );
}

async function readCloudWatch(target: Target, queues: readonly QueueStatus[]) {
  const client = new CloudWatchClient(target.clientOptions('CLOUDWATCH'));
  const alarms: string[] = [];
  const pages = paginateDescribeAlarms({ client }, { AlarmNamePrefix: `${target.stackName}/`, StateValue: 'ALARM' });
  for await (const { MetricAlarms = [] } of pages) alarms.push(...MetricAlarms.map(({ AlarmName = '' }) => AlarmName));
  const nowMs = Date.now();
  const { MetricDataResults = [] } = await client.send(
    new GetMetricDataCommand({
      StartTime: new Date(nowMs - 86_400_000),
      EndTime: new Date(nowMs),
      MetricDataQueries: [
        acceptedQuery(target.stackName),
        ...queues.map(({ event }, index) => ageQuery(target.queueUrls[event], index)),
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

function acceptedQuery(Namespace: string): MetricDataQuery {
  const Dimensions = [{ Name: 'service', Value: ingestService }];
  const Metric = { Namespace, MetricName: ingestMetrics.accepted, Dimensions };
  return { Id: 'accepted', MetricStat: { Metric, Period: 60, Stat: 'Sum' } };
}

function ageQuery(queueUrl: string, index: number): MetricDataQuery {
  const Dimensions = [{ Name: 'QueueName', Value: queueUrl.split('/').at(-1) ?? '' }];
  const Metric = { Namespace: 'AWS/SQS', MetricName: 'ApproximateAgeOfOldestMessage', Dimensions };
  return { Id: `age${index}`, MetricStat: { Metric, Period: 60, Stat: 'Maximum' } };
}

function textOf(
  { stack, queues, quarantined, quarantinedBeingRead, lastWebhookAt, alarms }: Status,
  command: string,
): readonly Printable[] {
  const dead = queues.reduce((sum, queue) => sum + queue.dead, 0);
  const deadBeingRead = queues.reduce((sum, queue) => sum + queue.deadBeingRead, 0);
  const noteOf = (beingRead: number) => (beingRead > 0 ? ` (${beingRead} being read)` : '');
  return [
    stack,
    tableOf(
      { event: 'event', visible: 'visible', inFlight: 'in flight', oldestSeconds: 'oldest (s)', dead: 'dead' },
      queues,
    ),
    dead > 0 ? alarming(`${dead} dead letters${noteOf(deadBeingRead)}: ${command} dead list`) : 'no dead letters',
    quarantined > 0
      ? alarming(`${quarantined} in quarantine${noteOf(quarantinedBeingRead)}: ${command} quarantine list`)
      : 'nothing in quarantine',
    `last webhook: ${lastWebhookAt ?? (alarms ? 'none within the last 24 hours' : 'none since npm start')}`,
    alarmLine(alarms),
  ];
}

function alarmLine(alarms: Status['alarms']): Printable {
  if (alarms === undefined) return 'alarms: not available on the local pipeline';
  return alarms.length > 0 ? alarming(`alarms: ${alarms.join(', ')}`) : 'alarms: none';
}
