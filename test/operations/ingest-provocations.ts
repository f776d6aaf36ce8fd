import { environment } from '../../functions/aws/environment.ts';
import { secretUnreadableMetric } from '../../functions/domain/metric-names.ts';
import { bodyLimitBytes } from '../../functions/ingest/handler.ts';
import { createSecret } from '../../tools/local/secrets-manager.ts';
import { valuesOf } from '../../tools/local/wiring.ts';
import { until } from '../support/emulators/local-pipeline.ts';
import { newUpload, webhookBody } from '../support/fakes/argyle-sender.ts';
import { ingestOf, type Provocations, printedCount, purge, refused } from './scene.ts';

/** Makes the alarms fire that watch the way from Argyle to the queues. */
export const ingestProvocations: Provocations = {
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
};
