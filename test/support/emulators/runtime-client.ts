import { spawn } from 'node:child_process';
import { forkEnvironment, type StartEnvironment, variablesOf } from '../../../tools/local/execution-environment.ts';
import { startRuntimeApi } from './runtime-api.ts';

/** The program that runs the functions: AWS's own run-time client at LAMBDA_RUNTIME_CLIENT if that is set, else ours. */
export function chosenEnvironment(): StartEnvironment {
  const client = process.env.LAMBDA_RUNTIME_CLIENT;
  return client ? environmentOf(client) : forkEnvironment;
}

// As in AWS's container images: the client is given the handler's name, the rest is in the environment.
function environmentOf(client: string): StartEnvironment {
  return async (options) => {
    const { address, close, ...api } = await startRuntimeApi(options.name);
    const child = spawn(process.execPath, [client, options.handler], {
      cwd: options.codeDirectory,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...variablesOf(options), AWS_LAMBDA_RUNTIME_API: address },
    });
    child.once('exit', close);
    return { process: child, ...api };
  };
}
