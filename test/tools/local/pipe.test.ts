import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type Engine, startEngine } from '../../../tools/local/engine.ts';
import type { Lambda } from '../../../tools/local/lambda.ts';
import { startPipe } from '../../../tools/local/pipe.ts';
import type { StreamRecord } from '../../../tools/local/table-stream.ts';
import type { LocalStack } from '../../../tools/local/template.ts';
import { readTemplate, resolve } from '../../../tools/local/template.ts';
import { clientConfig } from '../../support/emulators/emulators.ts';
import { until } from '../../support/emulators/local-pipeline.ts';

let engine: Engine;
let sqs: SQSClient;
beforeAll(async () => {
  engine = await startEngine('sqs', 0);
  sqs = new SQSClient({ ...clientConfig(engine.endpoint), useQueueUrlAsEndpoint: false });
});
afterAll(async () => {
  sqs.destroy();
  await engine.stop();
});

test('one record that cannot be described is given up alone, and the others are published in order', async () => {
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

test('what becomes no event is none, and no failure', async () => {
  const { published, put, deadLetters } = await runPipe(async (ids) => ids.filter((id) => id !== 'invisible'));
  put('invisible');
  put('visible');
  await until(async () => published.length > 0);
  expect([published, await deadLetters()]).toEqual([['visible'], []]);
});

// The pipe of the real template, in front of a function of the test and a queue of the engine.
async function runPipe(describe: (ids: string[]) => Promise<readonly string[]>) {
  const template = readTemplate(inject('assemblies').connected);
  const [pipe] = template.ofType('AWS::Pipes::Pipe');
  const properties = pipe?.properties ?? {};
  const { QueueUrl = '' } = await sqs.send(
    new CreateQueueCommand({ QueueName: `dead-${Math.random()}`.replace('.', '') }),
  );
  const named = template.resources.map(({ logicalId }) => {
    const deadLetterQueue = properties.SourceParameters.DynamoDBStreamParameters.DeadLetterConfig.Arn['Fn::GetAtt'][0];
    const ref = logicalId === deadLetterQueue ? QueueUrl : logicalId;
    return [logicalId, { ref, attributes: { Arn: logicalId } }] as const;
  });
  const stack: LocalStack = { template, identities: new Map(named) };
  const name = resolve(properties.Enrichment, stack.identities);
  const invoke = (records: unknown) => describe((records as StreamRecord[]).map(({ eventID }) => eventID));
  const lambda: Lambda = {
    ...{ name, invoke, counts: () => ({ Invocations: 0, Errors: 0 }) },
    ...{ pids: () => [], stop: () => undefined },
  };
  const published: unknown[] = [];
  const { put } = startPipe(properties, {
    ...{ stack, sqs, functions: () => new Map([[name, lambda]]) },
    publish: ({ detail }) => published.push(detail),
  });
  return {
    published,
    put: (eventID: string) =>
      put({ eventID, eventName: 'INSERT', eventSource: 'aws:dynamodb', dynamodb: { Keys: {} } }),
    deadLetters: async () =>
      (await sqs.send(new ReceiveMessageCommand({ QueueUrl, VisibilityTimeout: 0 }))).Messages ?? [],
  };
}
