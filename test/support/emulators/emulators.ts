import { randomUUID } from 'node:crypto';
import { DynamoDBClient, waitUntilTableExists } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { inject } from 'vitest';
import { startEmulator } from '../../../tools/local/loopback.ts';
import { localClientOptions } from '../../../tools/local/machine-settings.ts';
import { createTable } from '../../../tools/local/provision.ts';
import { readTemplate, resolve } from '../../../tools/local/template.ts';

/** An emulator on a free loopback port, with a client of it. */
export type Emulator<Client> = { readonly client: Client; readonly close: () => Promise<void> };

/** Starts the DynamoDB emulator, or uses the DynamoDB at DYNAMODB_ENDPOINT (for example DynamoDB Local) if that is set. */
export async function startDynamoDb(): Promise<Emulator<DynamoDBClient>> {
  const { DYNAMODB_ENDPOINT } = process.env;
  const emulator = DYNAMODB_ENDPOINT ? undefined : await startEmulator('dynamodb', 0);
  const client = new DynamoDBClient(clientConfig(DYNAMODB_ENDPOINT || (emulator?.endpoint ?? '')));
  return {
    client,
    close: async () => {
      client.destroy();
      await emulator?.stop();
    },
  };
}

export async function startSqs(): Promise<Emulator<SQSClient>> {
  const { endpoint, stop } = await startEmulator('sqs', 0);
  const client = new SQSClient(clientConfig(endpoint));
  return {
    client,
    close: async () => {
      client.destroy();
      await stop();
    },
  };
}

/** Creates the template's upload table, or with `key` a table with only that key. Returns its name, which is unique. */
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

/** The options of a client of an emulator. */
export function clientConfig(endpoint: string) {
  return { ...localClientOptions(endpoint), credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
}
