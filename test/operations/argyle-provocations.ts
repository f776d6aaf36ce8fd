import { randomUUID } from 'node:crypto';
import { documentMetrics } from '../../functions/domain/metric-names.ts';
import { rotateSecret } from '../../tools/local/secrets-manager.ts';
import { until } from '../support/emulators/local-pipeline.ts';
import { newUpload, webhookBody } from '../support/fakes/argyle-sender.ts';
import { endTrouble, type Provocations, printedCount, refused, type Scene } from './scene.ts';

/** Makes the alarms fire that watch what is done at Argyle. */
export const argyleProvocations: Provocations = {
  'documents-not-fetched': async (scene) => {
    const { pipeline, metrics, event } = scene;
    const notFetched = () => printedCount(pipeline, documentMetrics.failed, event);
    const before = notFetched();
    await pipeline.argyle.setFaults({ failures: [{ path: '/v2/user-uploads/', status: 503 }] });
    for (let count = 0; count < 5; count += 1) await metrics.post(webhookBody(event, newUpload()));
    await until(async () => notFetched() >= before + 5);
    return { mend: () => endTrouble(scene) };
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
