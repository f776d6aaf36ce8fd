import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { environment } from '../../functions/aws/environment.ts';
import { events, eventTypes } from '../../functions/domain/events.ts';
import { sqsRecord } from '../support/builders/builders.ts';
import { startTestPipeline, type TestPipeline } from '../support/emulators/local-pipeline.ts';
import { newUpload, webhookBody } from '../support/fakes/argyle-sender.ts';

let pipeline: TestPipeline;
beforeAll(async () => {
  pipeline = await startTestPipeline();
});
afterAll(() => pipeline.stop());

test.each(eventTypes)(
  'the worker of %s applies what is good in a batch, and reports exactly the rest',
  async (event) => {
    const receivedAt = new Date().toISOString();
    const uploads = Array.from({ length: 3 }, newUpload);
    const good = uploads.map((ids, index) =>
      sqsRecord(webhookBody(event, ids), { event, receivedAt, messageId: `good-${index}` }),
    );
    const foreign = eventTypes.find((type) => type !== event) ?? '';
    const stranger = newUpload();
    const poison = sqsRecord('{"data": "poison"}', { event, receivedAt, messageId: 'poison' });
    const misplaced = sqsRecord(webhookBody(foreign, stranger), { event: foreign, receivedAt, messageId: 'misplaced' });

    const answer = await invokeWorker(event, { Records: [poison, ...good, misplaced] });

    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'poison' }, { itemIdentifier: 'misplaced' }] });
    for (const ids of uploads)
      expect(await pipeline.readRecord(ids.userUpload)).toMatchObject({ ...ids, [events[event].slot]: receivedAt });
    expect(await pipeline.readRecord(stranger.userUpload)).toBeUndefined();
  },
);

test.each(eventTypes)('the worker of %s reports nothing of a batch that is good, repeats included', async (event) => {
  const receivedAt = new Date().toISOString();
  const record = sqsRecord(webhookBody(event, newUpload()), { event, receivedAt });

  expect(await invokeWorker(event, { Records: [record] })).toEqual({ batchItemFailures: [] });
  expect(await invokeWorker(event, { Records: [record, record] })).toEqual({ batchItemFailures: [] });
});

async function invokeWorker(event: string, batch: SQSEvent): Promise<SQSBatchResponse> {
  const worker = pipeline.template
    .ofType('AWS::Lambda::Function')
    .find(({ properties }) => properties.Environment?.Variables?.[environment.eventType] === event);
  return (await pipeline.functions.get(worker?.logicalId ?? '')?.invoke(batch)) as SQSBatchResponse;
}
