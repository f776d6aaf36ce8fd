import { describe, expect, test } from 'vitest';
import { environment, eventQueueUrl } from '../../functions/aws/environment.ts';
import { eventTypes } from '../../functions/domain/events.ts';
import { permanentReasons, retryableReasons } from '../../functions/domain/queue-message.ts';
import { retryDelaySeconds } from '../../functions/domain/retry-budget.ts';
import { bodyLimitBytes } from '../../functions/ingest/handler.ts';
import { arnOf, type Resource, readStack, stages, targetOf, variablesOf } from '../support/synthesized-stack.ts';

const days = 86_400;

describe.each(stages)('in %s', (stage) => {
  const stack = readStack(stage);

  describe.each(eventTypes)('%s', (event) => {
    test('has a queue that keeps messages for 7 days', () => {
      expect(stack.queue(event).Properties.MessageRetentionPeriod).toBe(7 * days);
    });

    test('has a queue that moves no message to the dead-letter queue within six hours, however its receives end', () => {
      const { VisibilityTimeout, RedrivePolicy } = stack.queue(event).Properties;
      expect(RedrivePolicy.deadLetterTargetArn).toEqual(arnOf(stack.deadLetterQueue(event)));
      // Each receive ends as early as it can: with the worker's backoff, or with the visibility time-out.
      const seconds = Array.from({ length: RedrivePolicy.maxReceiveCount }, (_, index) =>
        Math.min(VisibilityTimeout, retryDelaySeconds(index + 1, 0)),
      ).reduce((sum, one) => sum + one, 0);
      expect(seconds).toBeGreaterThan(6 * 3_600);
      // A message that always crashes its worker is not retried much longer.
      expect(RedrivePolicy.maxReceiveCount * VisibilityTimeout).toBeLessThan(7 * 3_600);
    });

    test('has a dead-letter queue that keeps messages for 14 days and has no dead-letter queue itself', () => {
      const { MessageRetentionPeriod, RedrivePolicy } = stack.deadLetterQueue(event).Properties;
      expect([MessageRetentionPeriod, RedrivePolicy]).toEqual([14 * days, undefined]);
    });

    test('is sent to the queue that its worker reads', () => {
      expect(variablesOf(stack.ingest())[eventQueueUrl(event)]).toEqual({ Ref: stack.queue(event).id });
    });

    test('has a worker that knows its queues, the table and the retention of tombstones', () => {
      expect(variablesOf(stack.worker(event))).toMatchObject({
        [environment.queueUrl]: { Ref: stack.queue(event).id },
        [environment.deadLetterQueueUrl]: { Ref: stack.deadLetterQueue(event).id },
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

  test('there are no queues other than those of the events and the quarantine', () => {
    const known = eventTypes.flatMap((event) => [stack.queue(event).id, stack.deadLetterQueue(event).id]);
    const queues = stack.all('AWS::SQS::Queue');
    expect(queues.map(({ id }) => id).sort()).toEqual([...known, stack.quarantine().id].sort());
  });

  test('dead-letter queues and the quarantine accept messages up to 1 MiB, and the others leave room for a reason', () => {
    const sizeOf = ({ Properties }: Resource): number => Properties.MaximumMessageSize;
    for (const event of eventTypes) {
      expect(sizeOf(stack.deadLetterQueue(event))).toBe(1024 * 1024);
      const room = sizeOf(stack.deadLetterQueue(event)) - sizeOf(stack.queue(event));
      for (const reason of [...permanentReasons, ...retryableReasons])
        expect(room).toBeGreaterThanOrEqual(`reason${'String'}${reason}`.length);
      // The largest body of ingest, in base64 and with all attributes.
      expect(sizeOf(stack.queue(event))).toBeGreaterThan((bodyLimitBytes * 4) / 3 + 10 * 1_024);
    }
    expect(sizeOf(stack.quarantine())).toBe(1024 * 1024);
  });

  test('there are no functions other than ingest and the worker of each event', () => {
    const known = [stack.ingest(), ...eventTypes.map((event) => stack.worker(event))].map(({ id }) => id);
    const functions = stack.all('AWS::Lambda::Function').map(({ id }) => id);
    expect(functions.sort()).toEqual(known.sort());
  });
});
