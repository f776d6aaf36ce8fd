import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { Observer } from './observer.ts';

/** Reads the records of a deployed stack; region and credentials as usual with AWS. */
export function createTableObserver(tableName: string): Observer {
  const dynamodb = new DynamoDBClient();
  return {
    readRecord: async (userUpload) => {
      const { Item } = await dynamodb.send(
        new GetItemCommand({ TableName: tableName, Key: { userUpload: { S: userUpload } }, ConsistentRead: true }),
      );
      return Item && unmarshall(Item);
    },
  };
}
