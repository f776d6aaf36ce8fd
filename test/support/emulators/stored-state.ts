import { type AttributeValue, type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import {
  GetQueueAttributesCommand,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { consoleView } from '../../../tools/local/wiring.ts';

/** Reads and writes the records and queues of a running stack, local or deployed. */
export function storedState(
  { dynamodb, sqs }: { readonly dynamodb: DynamoDBClient; readonly sqs: SQSClient },
  view: ReturnType<typeof consoleView>,
) {
  const queueOf = (event: string) => {
    const queue = view.queues.find((candidate) => candidate.event === event);
    if (!queue) throw new Error(`There is no queue for ${event}.`);
    return { url: queue.url, deadLetterUrl: queue.deadLetterUrl ?? queue.url };
  };
  const putOn = async (QueueUrl: string, body: string, attributes: Readonly<Record<string, string>>) => {
    const MessageAttributes = Object.fromEntries(
      Object.entries(attributes).map(([name, StringValue]) => [name, { DataType: 'String', StringValue }]),
    );
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: body, MessageAttributes }));
  };
  return {
    queueOf,
    readRecord: async (userUpload: string) => {
      const Key = { userUpload: { S: userUpload } };
      const { Item } = await dynamodb.send(
        new GetItemCommand({ TableName: view.tableName, Key, ConsistentRead: true }),
      );
      return Item && unmarshall(Item);
    },
    /** Writes a record without the functions, as an operator can. */
    writeRecord: async (Item: Readonly<Record<string, AttributeValue>>) => {
      await dynamodb.send(new PutItemCommand({ TableName: view.tableName, Item }));
    },
    putOn,
    putOnQueue: (event: string, body: string, attributes: Readonly<Record<string, string>>) =>
      putOn(queueOf(event).url, body, attributes),
    /** Counts the messages of an event's queue, visible and in flight. */
    countMessages: async (event: string): Promise<number> => {
      const counts = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const;
      const command = new GetQueueAttributesCommand({ QueueUrl: queueOf(event).url, AttributeNames: [...counts] });
      const { Attributes = {} } = await sqs.send(command);
      return counts.reduce((sum, name) => sum + Number(Attributes[name]), 0);
    },
    purge: async (QueueUrl: string) => {
      await sqs.send(new PurgeQueueCommand({ QueueUrl }));
    },
    readMessages: async (QueueUrl: string) => {
      const command = new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: 10,
        MessageAttributeNames: ['All'],
        VisibilityTimeout: 0,
      });
      return (await sqs.send(command)).Messages ?? [];
    },
  };
}
