import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { ListQueuesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startFakeArgyle } from '../../../tools/fake-argyle/fake-argyle.ts';
import { close, listen, startEmulator, startHttpEmulator } from '../../../tools/local/loopback.ts';
import { clientConfig } from '../../support/emulators/emulators.ts';

type Server = { readonly endpoint: string; readonly stop: () => Promise<void> };

const servers: Readonly<Record<string, () => Promise<Server>>> = {
  'the DynamoDB emulator': () => startEmulator('dynamodb', 0),
  'the SQS emulator': () => startEmulator('sqs', 0),
  'a small emulator': () =>
    startHttpEmulator((_, response) => response.setHeader('access-control-allow-origin', '*').end()),
  'the fake Argyle': async () => {
    const { url, stop } = await startFakeArgyle({ port: 0, apiKeyId: 'id', apiKeySecret: 'secret' });
    return { endpoint: new URL(url).origin, stop };
  },
};

describe.each(Object.entries(servers))('%s', (_, start) => {
  let server: Server;
  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server.stop());

  test.each([
    ['a host name that resolves to this machine', 'GET', { host: 'example.com' }],
    ['a host name that begins like this machine', 'GET', { host: '127.0.0.1.example.com' }],
    ['a host name that ends like this machine', 'GET', { host: 'evil-localhost' }],
    ['a page of another server', 'POST', { origin: 'http://example.com' }],
    ['a page of another server under its own name', 'POST', { host: 'example.com', origin: 'http://example.com' }],
    ['a page of another server on this machine', 'POST', { origin: 'http://localhost:3000' }],
    ['a page without an origin', 'POST', { origin: 'null' }],
    ['a preflight', 'OPTIONS', { origin: 'http://example.com', 'access-control-request-method': 'POST' }],
  ])('refuses %s: %s %j', async (__, method, headers) => {
    const { statusCode, headers: answered } = await exchange(server.endpoint, method, headers);

    expect(statusCode).toBe(403);
    expect(Object.keys(answered).filter((name) => name.startsWith('access-control-'))).toEqual([]);
  });

  test.each(['127.0.0.1', 'localhost', 'LOCALHOST', '[::1]'])('answers programs that call it %s', async (name) => {
    const host = `${name}:${new URL(server.endpoint).port}`;

    expect((await exchange(server.endpoint, 'POST', { host })).statusCode).not.toBe(403);
  });
});

test.each(['dynamodb', 'sqs'] as const)('the %s emulator allows no page to read its answers', async (name) => {
  const { endpoint, stop } = await startEmulator(name, 0);
  const { statusCode, headers } = await exchange(endpoint, 'OPTIONS', { origin: endpoint });
  await stop();

  expect(statusCode).not.toBe(403);
  expect(headers).not.toHaveProperty('access-control-allow-origin');
});

test('the AWS SDK reaches the emulators', async () => {
  const [dynamodb, sqs] = await Promise.all([startEmulator('dynamodb', 0), startEmulator('sqs', 0)]);

  const { TableNames } = await new DynamoDBClient(clientConfig(dynamodb.endpoint)).send(new ListTablesCommand());
  const { $metadata } = await new SQSClient(clientConfig(sqs.endpoint)).send(new ListQueuesCommand());
  await Promise.all([dynamodb.stop(), sqs.stop()]);

  expect([TableNames, $metadata.httpStatusCode]).toEqual([[], 200]);
});

test('a request that may arrive through a tunnel is answered under any host name, but not for a web page', async () => {
  const { server, endpoint } = await listen(
    (_, response) => response.end(),
    0,
    ({ method }) => method === 'POST',
  );
  const host = 'tunnel.example.com';
  const codes = [
    (await exchange(endpoint, 'POST', { host })).statusCode,
    (await exchange(endpoint, 'GET', { host })).statusCode,
    (await exchange(endpoint, 'POST', { host, origin: `http://${host}` })).statusCode,
    (await exchange(endpoint, 'POST', { host, origin: `https://${host}` })).statusCode,
  ];
  await close(server);

  expect(codes).toEqual([200, 403, 403, 403]);
});

// fetch cannot set the Host header.
async function exchange(endpoint: string, method: string, headers: Readonly<Record<string, string>>) {
  const outgoing = request(endpoint, { method, headers, agent: false }).end();
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  await text(response);
  return response;
}
