import type { ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Engine } from './engine.ts';
import type { Lambda } from './lambda.ts';
import { startSmallEngine } from './loopback.ts';

/**
 * A small Lambda: it answers Invoke for the functions (by name, which is their logical id), with and without waiting for the
 * outcome. What fails without anybody waiting is not tried again, which Lambda itself would do twice.
 */
export async function startLambdaEngine(functions: () => ReadonlyMap<string, Lambda>): Promise<Engine> {
  return startSmallEngine(async (request, response) => {
    const name = /^\/2015-03-31\/functions\/(?:[^/]*:)?([^/:]+)\/invocations$/.exec(
      decodeURIComponent(request.url ?? ''),
    )?.[1];
    const lambda = functions().get(name ?? '');
    if (request.method !== 'POST' || !lambda) return refuse(response, 404, 'ResourceNotFoundException');
    const event: unknown = JSON.parse((await text(request)) || '{}');
    const invocation = lambda.invoke(event);
    if (request.headers['x-amz-invocation-type'] === 'Event') {
      // The function has printed what went wrong.
      invocation.catch(() => undefined);
      response.writeHead(202).end();
      return;
    }
    await invocation.then(
      (result) => response.end(JSON.stringify(result ?? null)),
      (error: Error) => {
        response.setHeader('x-amz-function-error', 'Unhandled');
        response.end(JSON.stringify({ errorType: 'Error', errorMessage: error.message }));
      },
    );
  });
}

function refuse(response: ServerResponse, statusCode: number, errorType: string): void {
  response.writeHead(statusCode, { 'content-type': 'application/json', 'x-amzn-errortype': errorType });
  response.end(JSON.stringify({ Type: 'User', Message: `There is no such function.` }));
}
