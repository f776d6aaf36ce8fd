import { randomUUID } from 'node:crypto';
import { environment } from '../../functions/environment.ts';
import { bodyLimitBytes } from '../../functions/ingest.ts';
import { documentMetrics, secretUnreadableMetric } from '../../functions/metric-names.ts';
import { functionOf } from '../../local/lambda.ts';
import { rotateSecret } from '../../local/rotate-secret.ts';
import { createSecret } from '../../local/secret.ts';
import { type Properties, resolve } from '../../local/template.ts';
import { queueUrlOf, valuesOf } from '../../local/wiring.ts';
import { newUpload, webhookBody } from '../support/argyle-sender.ts';
import { until } from '../support/local-pipeline.ts';
import {
  endTrouble,
  failedRecords,
  ingestOf,
  type Provoked,
  printedCount,
  purge,
  putOnQueue,
  refused,
  type Scene,
  stateOfQueue,
  visibleMessages,
  workerOf,
} from './scene.ts';

/** How each kind of alarm is made to fire, by its section in the runbook. */
export const provocations: Readonly<Record<string, (scene: Scene) => Promise<Provoked>>> = {
  'dead-letters': async ({ pipeline, event }) => {
    await putOnQueue(pipeline, event, 'poison');
    await until(async () => (await stateOfQueue(pipeline, event)).dead > 0);
    return { mend: () => purge(pipeline, pipeline.queueOf(event).deadLetterUrl) };
  },

  'oldest-message': async ({ pipeline, event }) => {
    const signal = (name: NodeJS.Signals) => {
      for (const pid of workerOf(pipeline, event).pids()) process.kill(pid, name);
    };
    signal('SIGSTOP');
    await putOnQueue(pipeline, event, webhookBody(event, newUpload()));
    await until(async () => (await stateOfQueue(pipeline, event)).inFlight > 0);
    const mend = async () => {
      signal('SIGCONT');
      await pipeline.drained();
    };
    return { laterMs: 16 * 60_000, mend };
  },

  'worker-errors': async (scene) => {
    const { pipeline, event, disturb } = scene;
    disturb(({ service }) => (service === 'dynamodb' ? refused(500, 'InternalServerError') : undefined));
    // Four records that cannot be stored, and one batch that dies with its function.
    const before = failedRecords(pipeline, event);
    for (let count = 0; count < 4; count += 1) await putOnQueue(pipeline, event, webhookBody(event, newUpload()));
    await until(async () => failedRecords(pipeline, event) >= before + 4);
    const { name, counts, pids } = workerOf(pipeline, event);
    const { Errors } = counts();
    let isStuck = false;
    disturb(({ service, caller }) => {
      isStuck ||= service === 'dynamodb' && caller === name;
      return { kind: 'stall' };
    });
    await putOnQueue(pipeline, event, webhookBody(event, newUpload()));
    await until(async () => isStuck);
    for (const pid of pids()) process.kill(pid, 'SIGKILL');
    await until(async () => counts().Errors > Errors);
    return { mend: () => endTrouble(scene) };
  },

  // Lambda here never refuses to start a function: what it would report then is added.
  throttled: async ({ metrics, alarm }) => {
    for (const { namespace, metricName, dimensions } of alarm.metrics)
      metrics.add({ namespace, metricName, dimensions, value: alarm.threshold, timeMs: Date.now() });
    return {};
  },

  'table-throttled': async (scene) => {
    const { pipeline, event, disturb, metrics } = scene;
    let refusals = 0;
    disturb(({ service, action, resource }) => {
      if (service !== 'dynamodb') return undefined;
      refusals += 1;
      const dimensions = { TableName: resource, Operation: action };
      metrics.add({
        ...{ namespace: 'AWS/DynamoDB', metricName: 'ThrottledRequests', dimensions },
        ...{ value: 1, timeMs: Date.now() },
      });
      return refused(400, 'ThrottlingException');
    });
    for (let count = 0; count < 5; count += 1) await putOnQueue(pipeline, event, webhookBody(event, newUpload()));
    await until(async () => refusals >= 10);
    return { mend: () => endTrouble(scene) };
  },

  'server-errors': async ({ metrics, event, disturb }) => {
    disturb(({ service }) => (service === 'sqs' ? refused(500, 'InternalError') : undefined));
    // The delivery and Argyle's one retry.
    for (let count = 0; count < 2; count += 1) await metrics.post(webhookBody(event, newUpload()));
    return { mend: () => disturb() };
  },

  'secret-unreadable': async ({ pipeline, metrics, event }) => {
    const [arn = ''] = valuesOf(environment.webhookSecretId, pipeline);
    const kept = pipeline.secrets.get(arn) ?? createSecret();
    pipeline.secrets.set(arn, createSecret());
    // What runs has the secret in memory for a minute.
    for (const pid of ingestOf(pipeline).pids()) process.kill(pid, 'SIGKILL');
    await until(async () => {
      await metrics.post(webhookBody(event, newUpload()));
      return printedCount(pipeline, secretUnreadableMetric) > 0;
    });
    return { mend: () => pipeline.secrets.set(arn, kept) };
  },

  refusals: async ({ metrics, event }) => {
    for (let count = 0; count < 10; count += 1)
      await metrics.post(webhookBody(event, newUpload()), { 'X-Argyle-Signature': '0'.repeat(128) });
    return {};
  },

  quarantined: async ({ pipeline, metrics }) => {
    await metrics.post('signed, not understood');
    return { mend: () => purge(pipeline, pipeline.queueOf('quarantine').url) };
  },

  'too-large': async ({ metrics, event }) => {
    await metrics.post(webhookBody(event, newUpload(), 'n'.repeat(bodyLimitBytes)));
    return {};
  },

  // One request, counted as if so many had come: this machine would need minutes for them.
  'near-request-limit': async ({ metrics, event, alarm }) => {
    const startMs = Date.now();
    await metrics.post(webhookBody(event, newUpload()));
    const [request] = (await metrics.since(startMs, Date.now())).filter(({ metricName }) => metricName === 'Count');
    if (request) metrics.add({ ...request, value: alarm.threshold - 1 });
    return {};
  },

  silence: async ({ alarm }) => ({ laterMs: alarm.evaluationPeriods * alarm.periodMs + 1 }),

  'documents-not-fetched': async (scene) => {
    const { pipeline, metrics, event } = scene;
    const notFetched = () => printedCount(pipeline, documentMetrics.failed, event);
    const before = notFetched();
    await pipeline.argyle.setFaults({ failures: [{ path: '/v2/user-uploads/', status: 503 }] });
    for (let count = 0; count < 5; count += 1) await metrics.post(webhookBody(event, newUpload()));
    await until(async () => notFetched() >= before + 5);
    return { mend: () => endTrouble(scene) };
  },

  // The function that describes changes dies whenever it is asked.
  'changes-not-published': async ({ pipeline, metrics, event }) => {
    const { identities, template, functions } = pipeline;
    const [pipe] = template.ofType('AWS::Pipes::Pipe');
    const describe = functionOf(resolve(pipe?.properties.Enrichment, identities), functions);
    const queueUrl = queueUrlOf(
      resolve<Properties>(pipe?.properties.SourceParameters, identities).DynamoDBStreamParameters.DeadLetterConfig.Arn,
      pipeline,
    );
    // One that is described between two kills is published: others follow it.
    await until(async () => {
      await metrics.post(webhookBody(event, newUpload()));
      for (const pid of describe.pids()) process.kill(pid, 'SIGKILL');
      return (await visibleMessages(pipeline, queueUrl)) > 0;
    });
    return { mend: () => purge(pipeline, queueUrl) };
  },

  'rotation-failed': async ({ pipeline, disturb }) => {
    disturb(({ service, action }) =>
      service === 'secretsmanager' && action === 'PutSecretValue' ? refused(500, 'InternalServiceError') : undefined,
    );
    await rotateSecret(pipeline, randomUUID(), ['createSecret']).catch(() => undefined);
    return { mend: () => disturb() };
  },

  'reconciliation-failed': async ({ pipeline }) => {
    await pipeline.argyle.setFaults({ failures: [{ path: '/v2/user-uploads', status: 401 }] });
    await reconcile(pipeline).catch(() => undefined);
    return { mend: () => pipeline.argyle.clearFaults() };
  },

  'reconciliation-drift': async ({ pipeline }) => {
    await pipeline.argyle.seedUploads(20, 1);
    await reconcile(pipeline);
    return { mend: () => pipeline.drained() };
  },

  'removals-held': async ({ pipeline, event }) => {
    // Records of the day before yesterday that Argyle does not list: one more than may go.
    const receivedAt = new Date(Date.now() - 48 * 3_600_000).toISOString();
    const attributes = { event, receivedAt, deliveryId: 'provocation' };
    for (let count = 0; count < 21; count += 1)
      await pipeline.putOnQueue(event, webhookBody(event, newUpload()), attributes);
    await pipeline.drained();
    await reconcile(pipeline);
    return {};
  },
};

async function reconcile({ schedules }: Scene['pipeline']): Promise<void> {
  for (const { lambda, input } of schedules.values()) await lambda.invoke(input);
}
