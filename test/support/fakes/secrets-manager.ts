import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { clientConfig } from '../emulators/emulators.ts';

export type SecretsManager = Awaited<ReturnType<typeof startSecretsManager>>;

type Version = { readonly secret: string; readonly createdAtMs: number };

/** Starts a Secrets Manager with one secret that supports GetSecretValue, and a client that does not retry. */
export async function startSecretsManager() {
  const versions = new Map<string, Version | 'refused'>();
  const hanging = new Set<string>();
  const held = new Map<string, Promise<void>>();
  let currentReads = 0;

  const server = createServer(async (request, response) => {
    const { SecretId, VersionStage = 'AWSCURRENT' } = (await json(request)) as Record<string, string>;
    if (VersionStage === 'AWSCURRENT') currentReads += 1;
    if (hanging.has(VersionStage)) return;
    await held.get(VersionStage);
    const isKnown =
      request.headers['x-amz-target'] === 'secretsmanager.GetSecretValue' && SecretId === 'webhook-secret';
    const { status, body } = isKnown ? answerOf(versions.get(VersionStage)) : error(400, 'InvalidRequestException');
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = new SecretsManagerClient({ ...clientConfig(`http://127.0.0.1:${port}`), maxAttempts: 1 });

  return {
    client,
    /** Sets the value of a stage. Also ends its failure. */
    put: (stage: string, secret: string, createdAtMs: number) => versions.set(stage, { secret, createdAtMs }),
    /** Makes reads of a stage fail. */
    refuse: (stage: string) => versions.set(stage, 'refused'),
    /** Leaves reads of a stage without a response. */
    hang: (stage: string) => hanging.add(stage),
    /** Delays the responses to reads of a stage. Returns the function that sends them. */
    hold: (stage: string): (() => void) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      held.set(stage, promise);
      return resolve;
    },
    remove: (stage: string) => versions.delete(stage),
    /** The number of reads of the current stage. */
    reads: () => currentReads,
    close: async () => {
      client.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function answerOf(version: Version | 'refused' | undefined) {
  if (version === 'refused') return error(500, 'InternalServiceError');
  if (version === undefined) return error(400, 'ResourceNotFoundException');
  const { secret, createdAtMs } = version;
  return { status: 200, body: { Name: 'webhook-secret', SecretString: secret, CreatedDate: createdAtMs / 1_000 } };
}

function error(status: number, __type: string) {
  return { status, body: { __type, Message: __type } };
}
