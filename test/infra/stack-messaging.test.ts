import { describe, expect, test } from 'vitest';
import { environment, eventQueueUrl } from '../../functions/aws/environment.ts';
import { eventTypes } from '../../functions/domain/events.ts';
import { arnOf, readStack, stages, targetOf, variablesOf } from '../support/synthesized-stack.ts';

const days = 86_400;

describe.each(stages)('in %s', (stage) => {
  const stack = readStack(stage);

  describe.each(eventTypes)('%s', (event) => {
    test('has a queue that keeps messages for 7 days and moves them to the dead-letter queue after 16 receives', () => {
      expect(stack.queue(event).Properties).toMatchObject({
        MessageRetentionPeriod: 7 * days,
        RedrivePolicy: { maxReceiveCount: 16, deadLetterTargetArn: arnOf(stack.deadLetterQueue(event)) },
      });
    });

    test('has a dead-letter queue that keeps messages for 14 days and has no dead-letter queue itself', () => {
      const { MessageRetentionPeriod, RedrivePolicy } = stack.deadLetterQueue(event).Properties;
      expect([MessageRetentionPeriod, RedrivePolicy]).toEqual([14 * days, undefined]);
    });

    test('is sent to the queue that its worker reads', () => {
      expect(variablesOf(stack.ingest())[eventQueueUrl(event)]).toEqual({ Ref: stack.queue(event).id });
    });

    test('has a worker that knows its queue, the table and the retention of tombstones', () => {
      expect(variablesOf(stack.worker(event))).toMatchObject({
        [environment.queueUrl]: { Ref: stack.queue(event).id },
        [environment.tableName]: { Ref: stack.table().id },
        [environment.retentionDays]: '90',
      });
    });

    test('is processed in batches of 10 that fail message by message, at most 50 batches at once', () => {
      expect(stack.mapping(event).Properties).toMatchObject({
        BatchSize: 10,
        FunctionResponseTypes: ['ReportBatchItemFailures'],
        ScalingConfig: { MaximumConcurrency: 50 },
      });
    });

    test('hides a received message for at least six times the time-out of its worker', () => {
      const minSeconds = 6 * stack.worker(event).Properties.Timeout;
      expect(stack.queue(event).Properties.VisibilityTimeout).toBeGreaterThanOrEqual(minSeconds);
    });
  });

  test('the quarantine keeps messages for 14 days', () => {
    expect(stack.quarantine().Properties.MessageRetentionPeriod).toBe(14 * days);
  });

  test('only the queues of events are consumed', () => {
    const consumed = stack.all('AWS::Lambda::EventSourceMapping').map(({ Properties }) => Properties.EventSourceArn);
    expect(consumed.map(targetOf).sort()).toEqual(eventTypes.map((event) => stack.queue(event).id).sort());
  });

  test('there are no queues other than those of the events and the quarantine, and each accepts messages up to 1 MiB', () => {
    const known = eventTypes.flatMap((event) => [stack.queue(event).id, stack.deadLetterQueue(event).id]);
    const queues = stack.all('AWS::SQS::Queue');
    expect(queues.map(({ id }) => id).sort()).toEqual([...known, stack.quarantine().id].sort());
    expect(queues.filter(({ Properties }) => Properties.MaximumMessageSize !== 1024 * 1024)).toEqual([]);
  });

  test('there are no functions other than ingest and the worker of each event', () => {
    const known = [stack.ingest(), ...eventTypes.map((event) => stack.worker(event))].map(({ id }) => id);
    const functions = stack.all('AWS::Lambda::Function').map(({ id }) => id);
    expect(functions.sort()).toEqual(known.sort());
  });
});
