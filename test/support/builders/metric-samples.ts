import { type Properties, resolve } from '../../../tools/local/template.ts';
import type { Sample } from '../alarm-rules.ts';
import type { WatchedPipeline } from '../emulators/watched-pipeline.ts';
import type { Answer } from '../fakes/argyle-sender.ts';

export type MetricSamples = ReturnType<typeof createMetricSamples>;

/**
 * Collects the metrics that CloudWatch would have of the local pipeline: printed metrics, responses of the gateway,
 * invocations of the functions and messages in the queues. The pipeline never throttles; a test adds such samples itself.
 */
export function createMetricSamples(pipeline: WatchedPipeline) {
  const answers: Sample[] = [];
  const added: Sample[] = [];
  let countsBefore = countsOf(pipeline);
  const ApiId = pipeline.template.ofType('AWS::ApiGatewayV2::Api')[0]?.logicalId ?? '';
  const gateway = { namespace: 'AWS/ApiGateway', dimensions: { ApiId, Stage: '$default' } };
  const answered = (metricName: string, value: number) => ({ ...gateway, metricName, value, timeMs: Date.now() });
  return {
    /** Posts like `pipeline.post` and counts the response like API Gateway. */
    post: async (...request: Parameters<WatchedPipeline['post']>): Promise<Answer> => {
      const startMs = Date.now();
      const answer = await pipeline.post(...request);
      answers.push(answered('Count', 1), answered('5xx', Number(answer.code >= 500)));
      answers.push(answered('4xx', Number(answer.code >= 400 && answer.code < 500)));
      answers.push(answered('Latency', Date.now() - startMs));
      return answer;
    },
    /** Adds samples that the local pipeline does not report. */
    add: (...samples: readonly Sample[]) => added.push(...samples),
    /** All samples since a time, and the current content of the queues as of `nowMs`. */
    since: async (sinceMs: number, nowMs: number): Promise<readonly Sample[]> => {
      const counts = countsOf(pipeline);
      const invocations = counts.map((sample, index) => ({
        ...sample,
        value: sample.value - (countsBefore[index]?.value ?? 0),
        // The invocations happened before `nowMs`, although they are counted a moment later.
        timeMs: Math.min(sample.timeMs, nowMs),
      }));
      countsBefore = counts;
      return [
        ...[...pipeline.logLines.flatMap(printedSamples), ...answers, ...added].filter(
          ({ timeMs }) => timeMs >= sinceMs,
        ),
        ...invocations,
        ...(await queueSamples(pipeline, nowMs)),
      ];
    },
  };
}

/** The metrics of a line in CloudWatch's embedded metric format. Empty for other lines. */
export function printedSamples(line: string): readonly Sample[] {
  if (!line.includes('"CloudWatchMetrics"')) return [];
  const printed = JSON.parse(line.slice(line.indexOf('{')));
  const { Timestamp, CloudWatchMetrics } = printed._aws;
  return CloudWatchMetrics.flatMap(({ Namespace, Dimensions, Metrics }: Properties) =>
    Dimensions.flatMap((names: string[]) =>
      Metrics.flatMap(({ Name }: { Name: string }) =>
        [printed[Name]].flat().map((value) => ({
          namespace: Namespace,
          metricName: Name,
          dimensions: Object.fromEntries(names.map((name) => [name, printed[name]])),
          value,
          timeMs: Timestamp,
        })),
      ),
    ),
  );
}

function countsOf({ functions }: WatchedPipeline): readonly Sample[] {
  return [...functions.values()].flatMap(({ name, counts }) =>
    Object.entries(counts()).map(([metricName, value]) => ({
      namespace: 'AWS/Lambda',
      metricName,
      dimensions: { FunctionName: name },
      value,
      timeMs: Date.now(),
    })),
  );
}

// SQS reports the age of the oldest message, in flight or not, and no age for an empty queue.
async function queueSamples({ template, identities, sqsEndpoint }: WatchedPipeline, nowMs: number): Promise<Sample[]> {
  const names = template
    .ofType('AWS::SQS::Queue')
    .map(({ logicalId }) => resolve({ 'Fn::GetAtt': [logicalId, 'QueueName'] }, identities));
  const samples = names.map(async (QueueName) => {
    const { messages } = (await (await fetch(`${sqsEndpoint}/_fauxqs/queues/${QueueName}`)).json()) as QueueContent;
    const { ready, delayed, inflight } = messages;
    const all = [...ready, ...delayed, ...inflight.map(({ message }) => message)];
    const queue = { namespace: 'AWS/SQS', dimensions: { QueueName }, timeMs: nowMs };
    const reported = (metricName: string, value: number): Sample => ({ ...queue, metricName, value });
    const oldestMs = Math.min(...all.map(({ sentTimestamp }) => sentTimestamp));
    return [
      reported('ApproximateNumberOfMessagesVisible', ready.length),
      ...(all.length > 0 ? [reported('ApproximateAgeOfOldestMessage', (nowMs - oldestMs) / 1_000)] : []),
    ];
  });
  return (await Promise.all(samples)).flat();
}

type Message = { readonly sentTimestamp: number };
type QueueContent = {
  readonly messages: {
    readonly ready: readonly Message[];
    readonly delayed: readonly Message[];
    readonly inflight: readonly { readonly message: Message }[];
  };
};
