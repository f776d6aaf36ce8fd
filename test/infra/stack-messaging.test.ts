import { describe, expect, test } from 'vitest';
import { environment, eventQueueUrl } from '../../functions/aws/environment.ts';
import { eventTypes } from '../../functions/domain/events.ts';
import { readStack, stages, targetOf, variablesOf } from '../support/synthesized-stack.ts';

const days = 86_400;

describe.each(stages)('in %s', (stage) => {
  const stack = readStack(stage);

  describe.each(eventTypes)('%s', (event) => {
    test('has a queue that keeps messages for 7 days', () => {
      expect(stack.queue(event).Properties.MessageRetentionPeriod).toBe(7 * days);
    });

    test('gives a message up to the dead-letter queue after 16 receives', () => {
      const { deadLetterTargetArn, maxReceiveCount } = stack.queue(event).Properties.RedrivePolicy;
      expect(maxReceiveCount).toBe(16);
      expect(deadLetterTargetArn).toEqual({ 'Fn::GetAtt': [stack.deadLetterQueue(event).id, 'Arn'] });
    });

    test('has a dead-letter queue that keeps messages for 14 days', () => {
      expect(stack.deadLetterQueue(event).Properties.MessageRetentionPeriod).toBe(14 * days);
    });

    test('has a dead-letter queue without one of its own', () => {
      expect(stack.deadLetterQueue(event).Properties).not.toHaveProperty('RedrivePolicy');
    });

    test('reaches the queue that its worker reads', () => {
      expect(variablesOf(stack.ingest())[eventQueueUrl(event)]).toEqual({ Ref: stack.queue(event).id });
    });

    test('has a worker on Node 24 and arm64', () => {
      expect(stack.worker(event).Properties).toMatchObject({ Runtime: 'nodejs24.x', Architectures: ['arm64'] });
    });

    test('has a worker that knows its queue, the table and how long tombstones are kept', () => {
      expect(variablesOf(stack.worker(event))).toMatchObject({
        [environment.queueUrl]: { Ref: stack.queue(event).id },
        [environment.tableName]: { Ref: stack.table().id },
        [environment.retentionDays]: '90',
      });
    });

    test('fails message by message, not batch by batch', () => {
      expect(stack.mapping(event).Properties.FunctionResponseTypes).toEqual(['ReportBatchItemFailures']);
    });

    test('is worked on 10 messages a batch', () => {
      expect(stack.mapping(event).Properties.BatchSize).toBe(10);
    });

    test('takes at most 50 concurrent workers from the account', () => {
      expect(stack.mapping(event).Properties.ScalingConfig).toEqual({ MaximumConcurrency: 50 });
    });

    test('hides a message for at least six times the time-out of its worker', () => {
      const shortestSeconds = 6 * stack.worker(event).Properties.Timeout;
      expect(stack.queue(event).Properties.VisibilityTimeout).toBeGreaterThanOrEqual(shortestSeconds);
    });
  });

  test('the quarantine keeps messages for 14 days', () => {
    expect(stack.quarantine().Properties.MessageRetentionPeriod).toBe(14 * days);
  });

  test('nothing consumes the quarantine or a dead-letter queue', () => {
    const consumed = stack
      .all('AWS::Lambda::EventSourceMapping')
      .map(({ Properties }) => targetOf(Properties.EventSourceArn));
    expect(consumed.sort()).toEqual(eventTypes.map((event) => stack.queue(event).id).sort());
  });

  test('each queue belongs to one event or is the quarantine', () => {
    const known = eventTypes.flatMap((event) => [stack.queue(event).id, stack.deadLetterQueue(event).id]);
    const queues = stack.all('AWS::SQS::Queue').map(({ id }) => id);
    expect(queues.sort()).toEqual([...known, stack.quarantine().id].sort());
  });

  test('every queue takes messages up to 1 MiB', () => {
    const others = stack
      .all('AWS::SQS::Queue')
      .filter(({ Properties }) => Properties.MaximumMessageSize !== 1024 * 1024);
    expect(others).toEqual([]);
  });

  test('each function is ingest or the worker of one event', () => {
    const known = [stack.ingest(), ...eventTypes.map((event) => stack.worker(event))].map(({ id }) => id);
    expect(
      stack
        .all('AWS::Lambda::Function')
        .map(({ id }) => id)
        .sort(),
    ).toEqual(known.sort());
  });
});
