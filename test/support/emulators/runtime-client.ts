import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { environment } from '../../../functions/aws/environment.ts';
import { rotationService } from '../../../functions/domain/metric-names.ts';
import {
  type ExecutionEnvironment,
  forkEnvironment,
  type StartEnvironment,
  variablesOf,
} from '../../../tools/local/lambda.ts';
import { close, listen } from '../../../tools/local/loopback.ts';

/** Runs functions with AWS's run-time client at LAMBDA_RUNTIME_CLIENT if that is set, else with lambda-child.ts. */
export function chosenEnvironment(): StartEnvironment {
  const client = process.env.LAMBDA_RUNTIME_CLIENT;
  return client ? environmentOf(client) : forkEnvironment;
}

/** Skips the rotation function's waits, which take minutes: see skip-long-waits.ts. */
export function withoutRotationWaits(start: StartEnvironment): StartEnvironment {
  const NODE_OPTIONS = `--import=${new URL('./skip-long-waits.ts', import.meta.url)}`;
  return (config) =>
    config.environment[environment.serviceName] === rotationService
      ? start({ ...config, environment: { ...config.environment, NODE_OPTIONS } })
      : start(config);
}

// As in AWS's container images: the handler is an argument, everything else is in the environment.
function environmentOf(client: string): StartEnvironment {
  return async (config) => {
    const { address, stop, ...api } = await startRuntimeApi(config.name);
    const child = spawn(process.execPath, [client, config.handler], {
      cwd: config.codeDirectory,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...variablesOf(config), AWS_LAMBDA_RUNTIME_API: address },
    });
    child.once('exit', stop);
    return { process: child, ...api };
  };
}

type RuntimeApi = Omit<ExecutionEnvironment, 'process'> & { readonly address: string; readonly stop: () => void };

// Serves Lambda's Runtime API, version 2018-06-01, to one client, which handles one invocation at a time. The client asks
// for its first invocation once it has loaded the code.
async function startRuntimeApi(functionName: string): Promise<RuntimeApi> {
  const loaded = Promise.withResolvers<void>();
  let next = Promise.withResolvers<ServerResponse>();
  let answered = Promise.withResolvers<unknown>();

  const { server, endpoint } = await listen(async (request, response) => {
    const { url = '' } = request;
    if (url.endsWith('/invocation/next')) {
      loaded.resolve();
      return next.resolve(response);
    }
    const answer = await json(request);
    response.writeHead(202).end();
    if (url.endsWith('/response')) answered.resolve(answer);
    // The client also reports errors during the start, and exits afterwards.
    else if (url.includes('/invocation/'))
      answered.reject(new Error((answer as { errorMessage: string }).errorMessage));
  }, 0);
  return {
    address: new URL(endpoint).host,
    loaded: loaded.promise,
    invoke: async (event, remainingMs) => {
      const response = await next.promise;
      next = Promise.withResolvers();
      answered = Promise.withResolvers();
      response.writeHead(200, headersOf(functionName, remainingMs)).end(JSON.stringify(event));
      return answered.promise;
    },
    stop: () => void close(server),
  };
}

function headersOf(functionName: string, remainingMs: number) {
  return {
    // Without it, the client exits without a message.
    'content-type': 'application/json',
    'lambda-runtime-aws-request-id': randomUUID(),
    'lambda-runtime-deadline-ms': Date.now() + remainingMs,
    'lambda-runtime-invoked-function-arn': `arn:aws:lambda:us-east-1:000000000000:function:${functionName}`,
  };
}
