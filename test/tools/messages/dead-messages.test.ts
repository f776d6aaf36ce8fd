import { SQSClient } from '@aws-sdk/client-sqs';
import { expect, test } from 'vitest';
import { startEmulator } from '../../../tools/local/loopback.ts';
import { countMessages, deadReason } from '../../../tools/messages/dead-messages.ts';
import { redriveDestination } from '../../../tools/messages/move-messages.ts';
import { sample, sampleBody } from '../../support/builders/builders.ts';

test('countMessages names the queue that it cannot read', async () => {
  const { endpoint, stop } = await startEmulator('sqs', 0);
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const sqs = new SQSClient({ endpoint, credentials, region: 'us-east-1', useQueueUrlAsEndpoint: false });

  await expect(countMessages(sqs, `${endpoint}/000000000000/gone`)).rejects.toThrow(/^gone: .*not exist/);

  sqs.destroy();
  await stop();
});

const letter = (attributes: Readonly<Record<string, string>>, Attributes = {}) => ({
  ...{ body: sampleBody(), attributes: { event: sample.event, receivedAt: sample.receivedAt, ...attributes } },
  message: { Attributes },
});

test.each(['unreadable', 'wrong_event', 'expired', 'owner_conflict', 'not_stored', 'not_fetched'] as const)(
  'the reason of a dead letter is the one that its worker wrote: %s',
  (reason) => {
    expect(deadReason(letter({ reason }))).toBe(reason);
  },
);

test.each([
  ['has no reason', {}, {}],
  ['has an unknown reason', { reason: 'toString' }, {}],
  ['was moved by SQS with the reason of an earlier time', { reason: 'expired' }, { DeadLetterQueueSourceArn: 'arn' }],
])('no worker finished with a dead letter that %s', (_, attributes, systemAttributes) => {
  expect(deadReason(letter(attributes, systemAttributes))).toBe('not_finished');
});

test('redrive removes the reason and no other attribute', () => {
  const destinationOf = redriveDestination({ [sample.event]: 'queue' } as never, sample.event);
  const { attributes } = letter({ origin: 'reconciliation' });
  expect(destinationOf(letter({ origin: 'reconciliation', reason: 'not_stored' }))).toEqual({
    queueUrl: 'queue',
    attributes,
  });
});
