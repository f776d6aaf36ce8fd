import { CreateQueueCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { startPipe } from '../../../tools/local/change-feed.ts';
import type { StreamRecord } from '../../../tools/local/table-stream.ts';
import { type LocalStack, readTemplate, resolve } from '../../../tools/local/template.ts';
import { startSqs } from '../../support/emulators/emulators.ts';
import { until } from '../../support/emulators/local-pipeline.ts';
import { fakeLambda } from '../../support/fakes/fake-lambda.ts';

let sqs: Awaited<ReturnType<typeof startSqs>>;
beforeAll(async () => {
  sqs = await startSqs();
});
afterAll(() => sqs.close());

test('a record that the function cannot process goes alone to the dead-letter queue; the others are published in order', async () => {
  const poison = '7';
  const batches: string[][] = [];
  const { published, put, deadLetters } = await runPipe(async (ids) => {
    batches.push(ids);
    if (ids.includes(poison)) throw new Error('poison');
    return ids;
  });

  for (let id = 1; id <= 12; id += 1) put(String(id));
  await until(async () => published.length === 11 && (await deadLetters()).length === 1);

  expect(published).toEqual(['1', '2', '3', '4', '5', '6', '8', '9', '10', '11', '12']);
  expect(batches.filter((ids) => ids.join() === poison)).toHaveLength(3);
  expect(Math.max(...batches.map((ids) => ids.length))).toBeLessThanOrEqual(10);
});

test('a record for which the function returns no event is not published and is not a failure', async () => {
  const { published, put, deadLetters } = await runPipe(async (ids) => ids.filter((id) => id !== 'invisible'));
  put('invisible');
  put('visible');
  await until(async () => published.length > 0);
  expect([published, await deadLetters()]).toEqual([['visible'], []]);
});

// The template's pipe with a function of the test and a dead-letter queue in the SQS emulator.
async function runPipe(describe: (ids: string[]) => Promise<readonly string[]>) {
  const template = readTemplate(inject('assemblies').connected);
  const [pipe] = template.ofType('AWS::Pipes::Pipe');
  const properties = pipe?.properties ?? {};
  const QueueName = `dead-${Math.random()}`.replace('.', '');
  const { QueueUrl = '' } = await sqs.client.send(new CreateQueueCommand({ QueueName }));
  const deadLetterQueue = properties.SourceParameters.DynamoDBStreamParameters.DeadLetterConfig.Arn['Fn::GetAtt'][0];
  const identities = template.resources.map(({ logicalId }) => {
    const ref = logicalId === deadLetterQueue ? QueueUrl : logicalId;
    return [logicalId, { ref, attributes: { Arn: logicalId } }] as const;
  });
  const stack: LocalStack = { template, identities: new Map(identities) };
  const name = resolve(properties.Enrichment, stack.identities);
  const lambda = fakeLambda(name, (records) => describe((records as StreamRecord[]).map(({ eventID }) => eventID)));
  const published: unknown[] = [];
  const { put } = startPipe(properties, {
    stack,
    sqs: sqs.client,
    functions: new Map([[name, lambda]]),
    publish: ({ detail }) => published.push(detail),
  });
  return {
    published,
    put: (eventID: string) =>
      put({ eventID, eventName: 'INSERT', eventSource: 'aws:dynamodb', dynamodb: { Keys: {} } }),
    deadLetters: async () =>
      (await sqs.client.send(new ReceiveMessageCommand({ QueueUrl, VisibilityTimeout: 0 }))).Messages ?? [],
  };
}
