import { SQSClient } from '@aws-sdk/client-sqs';
import { expect, test } from 'vitest';
import { startEmulator } from '../../../tools/local/loopback.ts';
import { countMessages } from '../../../tools/messages/dead-messages.ts';

test('countMessages names the queue that it cannot read', async () => {
  const { endpoint, stop } = await startEmulator('sqs', 0);
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const sqs = new SQSClient({ endpoint, credentials, region: 'us-east-1', useQueueUrlAsEndpoint: false });

  await expect(countMessages(sqs, `${endpoint}/000000000000/gone`)).rejects.toThrow(/^gone: .*not exist/);

  sqs.destroy();
  await stop();
});
