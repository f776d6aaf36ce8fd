import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventTypes } from '../../functions/domain/events.ts';
import { changeSubscription } from '../support/builders/subscription-changes.ts';
import {
  argyleKey,
  type ConnectedPipeline,
  startConnectedPipeline,
  until,
} from '../support/emulators/local-pipeline.ts';

const secret = 'canary-of-the-webhook-secret';

let pipeline: ConnectedPipeline;
let physicalId: string;
beforeAll(async () => {
  pipeline = await startConnectedPipeline({ webhookSecret: secret });
});
afterAll(() => pipeline.stop());

const webhooks = async () => (await pipeline.argyle.state()).webhooks;
const name = 'argyle-uploads-sandbox';

test('a deployment subscribes the stack to the events of the catalogue, and every resource type is supported', async () => {
  expect(await webhooks()).toMatchObject([{ url: pipeline.webhookUrl, name, events: eventTypes }]);
  expect(pipeline.warnings).toEqual([]);
  physicalId = `${pipeline.webhookUrl}#${name}`;
});

test('a document that is uploaded at Argyle then becomes a record', async () => {
  const { userUpload, account } = await pipeline.argyle.uploadDocument();
  await until(async () => (await pipeline.readRecord(userUpload)) !== undefined);

  expect(await pipeline.readRecord(userUpload)).toMatchObject({ userUpload, account });
  expect((await pipeline.argyle.state()).deliveries).toMatchObject({ acknowledged: 1, refused: 0 });
});

test('an update of the name creates the new subscription before it deletes the old one', async () => {
  const updated = await changeSubscription(pipeline, 'Update', { name: 'renamed' }, physicalId);
  expect(updated).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: `${pipeline.webhookUrl}#renamed` });
  expect((await webhooks()).map((webhook) => webhook.name).sort()).toEqual([name, 'renamed']);

  await changeSubscription(pipeline, 'Delete', {}, physicalId);
  expect((await webhooks()).map((webhook) => webhook.name)).toEqual(['renamed']);
  physicalId = updated.PhysicalResourceId;
});

test('a rollback keeps a subscription that existed before, and deleting the stack does not', async () => {
  await pipeline.subscribeByHand({ url: pipeline.webhookUrl, name: 'by hand', events: eventTypes, secret });
  const { PhysicalResourceId } = await changeSubscription(pipeline, 'Update', { name: 'by hand' }, physicalId);

  pipeline.cloudformation.setStackStatus('UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS');
  await changeSubscription(pipeline, 'Delete', { name: 'by hand' }, PhysicalResourceId);
  expect((await webhooks()).map((webhook) => webhook.name).sort()).toEqual(['by hand', 'renamed']);

  await changeSubscription(pipeline, 'Update', { name: 'by hand' }, physicalId);
  pipeline.cloudformation.setStackStatus('DELETE_IN_PROGRESS');
  await changeSubscription(pipeline, 'Delete', { name: 'by hand' }, PhysicalResourceId);
  await changeSubscription(pipeline, 'Delete', { name: 'renamed' }, physicalId);
  expect(await webhooks()).toEqual([]);
});

test('a refused key fails the deployment with a reason that names the secret', async () => {
  pipeline.secrets
    .get('argyle/api-key')
    ?.put('revoked', '{"apiKeyId": "revoked", "apiKeySecret": "revoked"}', ['AWSCURRENT']);
  // The functions cache the key for some minutes; a new environment reads it.
  for (const lambda of pipeline.functions.values()) for (const pid of lambda.pids()) process.kill(pid, 'SIGKILL');

  // Invocations fail until the pipeline notices that the processes are dead.
  let answer: Awaited<ReturnType<typeof changeSubscription>> | undefined;
  await until(async () => {
    answer = await changeSubscription(pipeline, 'Create', {}).catch(() => undefined);
    return answer !== undefined;
  });

  expect(answer).toMatchObject({ Status: 'FAILED', PhysicalResourceId: 'never-made' });
  expect(answer?.Reason).toContain('into the secret argyle/api-key.');
  expect(pipeline.logLines.filter((line) => line.includes('subscription_failed'))).toHaveLength(1);
});

test('no log line contains the secret or the key', () => {
  const markers = [secret, argyleKey.apiKeySecret, 'revoked', '"Signature='];
  expect(pipeline.logLines.filter((line) => markers.some((marker) => line.includes(marker)))).toEqual([]);
});
