import type { SQSEvent } from 'aws-lambda';
import type { EventType } from '../../functions/domain/events.ts';
import { writeMessage } from '../../functions/domain/queue-message.ts';
import { idFrom } from '../fake-argyle/ids.ts';
import { sampleBody } from '../messages/sample.ts';

/** A batch of an event's queue, each record of a document of its own, as Lambda hands it to the worker. */
export function batchOf(event: EventType, records: number): SQSEvent {
  return {
    Records: Array.from({ length: records }, (_, index) => {
      const messageId = idFrom(`record ${index} of ${event}`);
      const body = Buffer.from(sampleBody(event, messageId));
      const message = writeMessage({ event, receivedAtMs: Date.now(), deliveryId: `delivery-${index}`, body });
      return {
        messageId,
        receiptHandle: messageId,
        body: message.body,
        attributes: {
          ApproximateReceiveCount: '1',
          ApproximateFirstReceiveTimestamp: '0',
          SenderId: 'ingest',
          SentTimestamp: '0',
        },
        messageAttributes: Object.fromEntries(
          Object.entries(message.attributes).map(([name, stringValue]) => [name, { stringValue, dataType: 'String' }]),
        ),
        md5OfBody: '',
        eventSource: 'aws:sqs',
        eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:queue',
        awsRegion: 'us-east-1',
      };
    }),
  };
}
