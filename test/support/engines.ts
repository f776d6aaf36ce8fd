import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { CreateTableCommand, DynamoDBClient, waitUntilTableExists } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import dynalite from 'dynalite';
import { buildApp } from 'fauxqs';

/** An embedded engine on a free loopback port, with a client of it. */
export type Engine<Client> = { readonly client: Client; readonly close: () => Promise<void> };

/** DynamoDB: the engine at DYNAMODB_ENDPOINT if that is set (DynamoDB Local, say), else dynalite. */
export async function startDynamoDb(): Promise<Engine<DynamoDBClient>> {
  const { DYNAMODB_ENDPOINT } = process.env;
  if (DYNAMODB_ENDPOINT) {
    const client = new DynamoDBClient(clientConfig(DYNAMODB_ENDPOINT));
    return { client, close: async () => client.destroy() };
  }
  const server = dynalite({ createTableMs: 0 });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = new DynamoDBClient(clientConfig(`http://127.0.0.1:${port}`));
  return {
    client,
    close: async () => {
      client.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** SQS: fauxqs. */
export async function startSqs(): Promise<Engine<SQSClient>> {
  const app = buildApp({ logger: false });
  const endpoint = await app.listen({ host: '127.0.0.1', port: 0 });
  const client = new SQSClient({ ...clientConfig(endpoint), useQueueUrlAsEndpoint: false });
  return {
    client,
    close: async () => {
      client.destroy();
      await app.close();
    },
  };
}

/** Creates a table keyed as the upload table is, or by another name; gives the table's name, which is new each time. */
export async function createUploadTable(client: DynamoDBClient, key = 'userUpload'): Promise<string> {
  const TableName = `by-${key}-${randomUUID()}`;
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [{ AttributeName: key, KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: key, AttributeType: 'S' }],
    }),
  );
  await waitUntilTableExists({ client, minDelay: 1, maxWaitTime: 20 }, { TableName });
  return TableName;
}

/** The options of a client of an engine on this machine. */
export function clientConfig(endpoint: string) {
  return { endpoint, region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } } as const;
}
