import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { DynamoDBClient, waitUntilTableExists } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import dynalite from 'dynalite';
import { buildApp } from 'fauxqs';
import { inject } from 'vitest';
import { createTable } from '../../../tools/local/provision.ts';
import { readTemplate, resolve } from '../../../tools/local/template.ts';

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

/**
 * Makes the template's upload table, or with a `key` a table that has nothing but that; gives its name, which is new each
 * time.
 */
export async function createUploadTable(client: DynamoDBClient, key?: string): Promise<string> {
  const TableName = `uploads-${randomUUID()}`;
  const [table] = readTemplate(inject('assemblies').sandbox).ofType('AWS::DynamoDB::Table');
  const keyed = {
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema: [{ AttributeName: key, KeyType: 'HASH' }],
    AttributeDefinitions: [{ AttributeName: key, AttributeType: 'S' }],
  };
  await createTable(client, TableName, key ? keyed : resolve(table?.properties, new Map()));
  await waitUntilTableExists({ client, minDelay: 1, maxWaitTime: 20 }, { TableName });
  return TableName;
}

/** The options of a client of an engine on this machine. */
export function clientConfig(endpoint: string) {
  return { endpoint, region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } } as const;
}
