import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

/** The Runtime API of one execution environment: what a run-time client asks for work. */
export type RuntimeApi = {
  /** The value of AWS_LAMBDA_RUNTIME_API. */
  readonly address: string;
  /** Resolves when the client asks for its first invocation, which it does once the code is loaded. */
  readonly loaded: Promise<void>;
  /** Hands out one invocation; gives what is answered to it, throws what is reported as its error. */
  readonly invoke: (event: unknown, remainingMs: number) => Promise<unknown>;
  readonly close: () => void;
};

/** Serves Lambda's Runtime API, version 2018-06-01, to one client, which works on one invocation at a time. */
export async function startRuntimeApi(functionName: string): Promise<RuntimeApi> {
  const loaded = Promise.withResolvers<void>();
  let next = Promise.withResolvers<ServerResponse>();
  let answered = Promise.withResolvers<unknown>();

  const server = createServer(async (request, response) => {
    const { url = '' } = request;
    if (url.endsWith('/invocation/next')) {
      loaded.resolve();
      return next.resolve(response);
    }
    const answer = await json(request);
    response.writeHead(202).end();
    if (url.endsWith('/response')) answered.resolve(answer);
    // What else is reported is an error of the start, after which the client ends.
    else if (url.includes('/invocation/'))
      answered.reject(new Error((answer as { errorMessage: string }).errorMessage));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    loaded: loaded.promise,
    invoke: async (event, remainingMs) => {
      const response = await next.promise;
      next = Promise.withResolvers();
      answered = Promise.withResolvers();
      response.writeHead(200, headersOf(functionName, remainingMs)).end(JSON.stringify(event));
      return answered.promise;
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function headersOf(functionName: string, remainingMs: number) {
  return {
    // Without it the client ends and does not say why.
    'content-type': 'application/json',
    'lambda-runtime-aws-request-id': randomUUID(),
    'lambda-runtime-deadline-ms': Date.now() + remainingMs,
    'lambda-runtime-invoked-function-arn': `arn:aws:lambda:us-east-1:000000000000:function:${functionName}`,
  };
}
