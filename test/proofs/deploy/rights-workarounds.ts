import { eventTypes } from '../../../functions/domain/events.ts';
import { eventually } from './deliveries.ts';
import type { Patch } from './patched-assembly.ts';
import type { Workaround } from './workaround.ts';

const seen = 'MiniStack 1.5.33, 2026-11-24';

/** References to the secret become GetAtt Id, which is the same on AWS. */
export const secretRef: Workaround = {
  name: 'secret-ref',
  seen,
  wrong: "Ref of a secret gives its name, not its ARN: ingest's role would allow nothing.",
  patch: (template) => {
    const isSecret = (id: string) => template.Resources[id]?.Type === 'AWS::SecretsManager::Secret';
    return replaced(template, (value) =>
      isSecret(Object(value).Ref) ? { 'Fn::GetAtt': [Object(value).Ref, 'Id'] } : value,
    );
  },
  isNeeded: async ({ outputs }) => !outputs.WebhookSecretArn?.startsWith('arn:'),
};

/** Nothing here depends on it. */
export const secretPunctuation: Workaround = {
  name: 'secret-punctuation',
  seen,
  wrong: 'ExcludePunctuation of a generated secret is ignored.',
  isNeeded: async ({ webhookSecret }) => /[^A-Za-z0-9]/.test(webhookSecret),
};

const single = 'sqs:ChangeMessageVisibility';
const batch = 'sqs:ChangeMessageVisibilityBatch';

/**
 * Roles that may change the visibility of a message are told that they may do so in batches. On AWS the single action
 * grants the batch version as well (API reference of SQS, AddPermission, read 2026-11-24).
 */
export const batchRights: Workaround = {
  name: 'sqs-batch-rights',
  seen,
  wrong: `${single} does not grant the batch version: workers could not postpone what failed.`,
  patch: (template) =>
    replaced(template, (value) => (Array.isArray(value) && value.includes(single) ? [...value, batch] : value)),
  isNeeded: async ({ putOnQueue, readMessages, queueOf, log }) => {
    const [event = ''] = eventTypes;
    await putOnQueue(event, 'poison', { event, receivedAt: new Date().toISOString(), deliveryId: 'poisoned' });
    return eventually('the end of a poison message', async () => {
      if (log().includes(`not authorized to perform: ${batch}`)) return true;
      return (await readMessages(queueOf(event).deadLetterUrl)).length > 0 ? false : undefined;
    });
  },
};

function replaced(template: Parameters<Patch>[0], replace: (value: unknown) => unknown): ReturnType<Patch> {
  return JSON.parse(JSON.stringify(template), (_, value) => replace(value));
}
