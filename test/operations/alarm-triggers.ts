import { randomUUID } from 'node:crypto';
import { environment } from '../../functions/aws/environment.ts';
import { documentMetrics, secretUnreadableMetric, workerMetrics } from '../../functions/domain/metric-names.ts';
import { bodyLimitBytes } from '../../functions/ingest/handler.ts';
import { functionOf } from '../../tools/local/lambda.ts';
import { createSecret, rotateSecret } from '../../tools/local/secrets-manager.ts';
import { type Properties, resolve } from '../../tools/local/template.ts';
import { queueUrlOf, valuesOf } from '../../tools/local/wiring.ts';
import { until } from '../support/emulators/local-pipeline.ts';
import { createTimeMachine } from '../support/emulators/time-machine.ts';
import { newUpload, webhookBody } from '../support/fakes/argyle-sender.ts';
import {
  endFailure,
  ingestOf,
  postWebhooks,
  printedCount,
  putOnQueue,
  refused,
  stateOfQueue,
  type Trigger,
  visibleMessages,
  workerOf,
} from './trigger-context.ts';

/** Makes each kind of alarm fire, by its section in the runbook. */
export const alarmTriggers: Readonly<Record<string, Trigger>> = {
  'server-errors': async (context) => {
    const { disturb } = context;
    disturb(({ service }) => (service === 'sqs' ? refused(500, 'InternalError') : undefined));
    // The delivery and Argyle's one retry.
    await postWebhooks(context, 2);
    return { cleanUp: () => disturb() };
  },

  'secret-unreadable': async (context) => {
    const { pipeline } = context;
    const [arn = ''] = valuesOf(environment.webhookSecretId, pipeline);
    const kept = pipeline.secrets.get(arn) ?? createSecret();
    pipeline.secrets.set(arn, createSecret());
    // A running execution environment caches the secret for a minute.
    killAll(ingestOf(context).pids());
    await until(async () => {
      await postWebhooks(context, 1);
      return printedCount(pipeline, secretUnreadableMetric) > 0;
    });
    return {
      cleanUp: async () => {
        pipeline.secrets.set(arn, kept);
        // Without a usable secret, ingest reads it at most once a second.
        const isAccepted = async () => (await pipeline.post(webhookBody(context.event, newUpload()))).code === 200;
        await until(isAccepted);
      },
    };
  },

  refusals: async ({ metrics, event }) => {
    for (let count = 0; count < 10; count += 1)
      await metrics.post(webhookBody(event, newUpload()), { 'X-Argyle-Signature': '0'.repeat(128) });
    return {};
  },

  // Without a signature, as Argyle probably sends them for a subscription without a secret.
  'all-refused': async ({ metrics, event }) => {
    await metrics.post(webhookBody(event, newUpload()), { 'X-Argyle-Signature': '' });
    return {};
  },

  quarantined: async ({ pipeline, metrics }) => {
    await metrics.post('signed, not understood');
    return { cleanUp: () => pipeline.purge(pipeline.queueOf('quarantine').url) };
  },

  'too-large': async ({ metrics, event }) => {
    await metrics.post(webhookBody(event, newUpload(), 'n'.repeat(bodyLimitBytes)));
    return {};
  },

  // Counts one request as many, because sending that many would take minutes.
  'near-request-limit': async (context) => {
    const { metrics, alarm } = context;
    const startMs = Date.now();
    await postWebhooks(context, 1);
    const [request] = (await metrics.since(startMs, Date.now())).filter(({ metricName }) => metricName === 'Count');
    if (request) metrics.add({ ...request, value: alarm.threshold - 1 });
    return {};
  },

  silence: async ({ alarm }) => ({ laterMs: alarm.evaluationPeriods * alarm.periodMs + 1 }),

  'dead-letters': async (context) => {
    const { pipeline, event } = context;
    await pipeline.putOnQueue(event, 'poison', { event, receivedAt: new Date().toISOString(), deliveryId: 'trigger' });
    await until(async () => (await stateOfQueue(context)).dead > 0);
    return { cleanUp: () => pipeline.purge(pipeline.queueOf(event).deadLetterUrl) };
  },

  'oldest-message': async (context) => {
    killAll(workerOf(context).pids(), 'SIGSTOP');
    await putOnQueue(context, 1);
    await until(async () => (await stateOfQueue(context)).inFlight > 0);
    const cleanUp = async () => {
      killAll(workerOf(context).pids(), 'SIGCONT');
      await context.pipeline.drained();
    };
    return { laterMs: 16 * 60_000, cleanUp };
  },

  // Four records that cannot be stored, and one batch whose function dies.
  'worker-errors': async (context) => {
    const { pipeline, event, disturb } = context;
    const failed = () => printedCount(pipeline, workerMetrics.retryable, event);
    disturb(({ service }) => (service === 'dynamodb' ? refused(500, 'InternalServerError') : undefined));
    const before = failed();
    await putOnQueue(context, 4);
    await until(async () => failed() >= before + 4);
    await killBusyWorker(context);
    return { cleanUp: () => endFailure(context) };
  },

  // The only message of a day, whose worker dies at each receive: one error in each of four periods of five minutes.
  'repeated-failures': async (context) => {
    const { metrics, alarm } = context;
    await killBusyWorker(context);
    const dimensions = { FunctionName: workerOf(context).name };
    const error = { namespace: 'AWS/Lambda', metricName: 'Errors', dimensions, value: 1 };
    for (const period of [1, 2, 3]) metrics.add({ ...error, timeMs: Date.now() + period * alarm.periodMs });
    return { laterMs: 3.5 * alarm.periodMs, cleanUp: () => endFailure(context) };
  },

  // The local pipeline never throttles a function, so the trigger adds the metric of a throttled one.
  throttled: async ({ metrics, alarm }) => {
    for (const { namespace, metricName, dimensions } of alarm.metrics)
      metrics.add({ namespace, metricName, dimensions, value: alarm.threshold, timeMs: Date.now() });
    return {};
  },

  'table-throttled': async (context) => {
    let throttled = 0;
    context.disturb(({ service, action, resource }) => {
      if (service !== 'dynamodb') return undefined;
      throttled += 1;
      const metric = { namespace: 'AWS/DynamoDB', metricName: 'ThrottledRequests', value: 1, timeMs: Date.now() };
      context.metrics.add({ ...metric, dimensions: { TableName: resource, Operation: action } });
      return refused(400, 'ThrottlingException');
    });
    await putOnQueue(context, 5);
    await until(async () => throttled >= 10);
    return { cleanUp: () => endFailure(context) };
  },

  'documents-not-fetched': async (context) => {
    const { pipeline, event } = context;
    const notFetched = () => printedCount(pipeline, documentMetrics.failed, event);
    const before = notFetched();
    await pipeline.argyle.setFaults({ failures: [{ path: '/v2/user-uploads/', status: 503 }] });
    await postWebhooks(context, 5);
    await until(async () => notFetched() >= before + 5);
    return { cleanUp: () => endFailure(context) };
  },

  'rotation-failed': async ({ pipeline, disturb }) => {
    disturb(({ service, action }) =>
      service === 'secretsmanager' && action === 'PutSecretValue' ? refused(500, 'InternalServiceError') : undefined,
    );
    await rotateSecret(pipeline, randomUUID(), ['createSecret']).catch(() => undefined);
    return { cleanUp: () => disturb() };
  },

  'reconciliation-failed': async ({ pipeline }) => {
    await pipeline.argyle.setFaults({ failures: [{ path: '/v2/user-uploads', status: 401 }] });
    await reconcile(pipeline).catch(() => undefined);
    return { cleanUp: () => pipeline.argyle.clearFaults() };
  },

  // SQS reports about the queue in every hour, and no run completes.
  'reconciliation-overdue': async ({ metrics, alarm }) => {
    const nowMs = Date.now();
    const queues = alarm.metrics.filter(({ namespace }) => namespace === 'AWS/SQS');
    for (let period = 0; period < alarm.evaluationPeriods; period += 1)
      metrics.add(...queues.map((queue) => ({ ...queue, value: 0, timeMs: nowMs + (period + 0.5) * alarm.periodMs })));
    return { laterMs: alarm.evaluationPeriods * alarm.periodMs };
  },

  'reconciliation-drift': async ({ pipeline }) => {
    await pipeline.argyle.seedUploads(20, 1);
    await reconcile(pipeline);
    return { cleanUp: () => pipeline.drained() };
  },

  // Old records that Argyle does not list: more than the rule removes without a confirmation.
  'removals-held': async (context) => {
    await putOnQueue(context, 21, new Date(Date.now() - 48 * 3_600_000).toISOString());
    await context.pipeline.drained();
    await reconcile(context.pipeline);
    return {};
  },

  // An old record that Argyle does not list, in two runs that are 12 hours apart. They confirm the records of other triggers too.
  'records-removed': async (context) => {
    const { pipeline } = context;
    const time = createTimeMachine(pipeline);
    await putOnQueue(context, 1, new Date(Date.now() - 48 * 3_600_000).toISOString());
    await pipeline.drained();
    await reconcile(pipeline, { confirmRemovals: 1_000 });
    await time.passHours(12);
    await reconcile(pipeline, { confirmRemovals: 1_000 });
    time.close();
    return { cleanUp: () => pipeline.drained() };
  },

  // Argyle lists a document after the webhook of its removal.
  'tombstones-listed': async ({ pipeline, metrics }) => {
    const known = await pipeline.argyle.uploadDocument();
    await metrics.post(webhookBody('user_uploads.removed', known));
    await pipeline.drained();
    await reconcile(pipeline);
    return { cleanUp: () => pipeline.argyle.removeUpload(known.userUpload) };
  },

  // The function that describes changes dies at each invocation.
  'changes-not-published': async (context) => {
    const { identities, template, functions } = context.pipeline;
    const [pipe] = template.ofType('AWS::Pipes::Pipe');
    const describe = functionOf(resolve(pipe?.properties.Enrichment, identities), functions);
    const source = resolve<Properties>(pipe?.properties.SourceParameters, identities);
    const deadLetterUrl = queueUrlOf(source.DynamoDBStreamParameters.DeadLetterConfig.Arn, context.pipeline);
    // A change between two kills is published, so the trigger repeats until the pipe gives up on one.
    await until(async () => {
      await postWebhooks(context, 1);
      killAll(describe.pids());
      return (await visibleMessages(context.pipeline, deadLetterUrl)) > 0;
    });
    return { cleanUp: () => context.pipeline.purge(deadLetterUrl) };
  },

  // Adds the metrics that a worker prints for one change to each half of the next hour. The pipe's own metrics are older than
  // that hour.
  'nothing-published': async ({ pipeline, metrics, event, alarm }) => {
    const ids = newUpload();
    const startMs = Date.now();
    await metrics.post(webhookBody(event, ids));
    await pipeline.drained();
    await until(async () => (await (await pipeline.fetchConsole('/console/changes')).text()).includes(ids.userUpload));
    const applied = (await metrics.since(startMs, Date.now())).filter(
      ({ metricName, dimensions }) => metricName === workerMetrics.applied && dimensions.service === event,
    );
    for (const half of [1, 2])
      metrics.add(...applied.map((sample) => ({ ...sample, timeMs: sample.timeMs + half * alarm.periodMs })));
    return { laterMs: 2 * alarm.periodMs };
  },
};

async function reconcile({ schedules }: Parameters<Trigger>[0]['pipeline'], payload?: object): Promise<void> {
  for (const { lambda, input } of schedules.values()) await lambda.invoke(payload ?? input);
}

/** Kills the worker while it applies a message. */
async function killBusyWorker(context: Parameters<Trigger>[0]): Promise<void> {
  const { name, counts, pids } = workerOf(context);
  const { Errors } = counts();
  let isStalled = false;
  context.disturb(({ service, caller }) => {
    isStalled ||= service === 'dynamodb' && caller === name;
    return { kind: 'stall' };
  });
  await putOnQueue(context, 1);
  await until(async () => isStalled);
  killAll(pids());
  await until(async () => counts().Errors > Errors);
}

function killAll(pids: readonly number[], signal: NodeJS.Signals = 'SIGKILL'): void {
  for (const pid of pids) process.kill(pid, signal);
}
