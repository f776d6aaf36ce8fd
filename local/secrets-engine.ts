import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { Engine } from './engine.ts';

/** The versions of one secret by stage, AWSCURRENT and the like. */
export type SecretStages = Record<string, { readonly value: string; readonly createdAtMs: number }>;

/**
 * A small Secrets Manager: it answers GetSecretValue from `secrets` (by ARN), as the real one does for stages that
 * exist and for those that do not. Changing `secrets` changes what is read next.
 */
export async function startSecretsEngine(secrets: ReadonlyMap<string, SecretStages>): Promise<Engine> {
  const server = createServer(async (request, response) => {
    const { SecretId = '', VersionStage = 'AWSCURRENT' } = (await json(request)) as Record<string, string>;
    const version = secrets.get(SecretId)?.[VersionStage];
    response.setHeader('content-type', 'application/x-amz-json-1.1');
    if (request.headers['x-amz-target'] !== 'secretsmanager.GetSecretValue') {
      response.writeHead(400).end(JSON.stringify({ __type: 'UnknownOperationException' }));
    } else if (!version) {
      const message = `Secrets Manager can't find the specified secret value for staging label: ${VersionStage}`;
      response.writeHead(400).end(JSON.stringify({ __type: 'ResourceNotFoundException', message }));
    } else {
      const { value, createdAtMs } = version;
      response.end(JSON.stringify({ ARN: SecretId, SecretString: value, CreatedDate: createdAtMs / 1000 }));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
