import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** What an execution environment of a function is started with. */
export type EnvironmentOptions = {
  readonly name: string;
  readonly codeDirectory: string;
  readonly handler: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
  readonly memoryMegabytes: number;
};

/** A process that has a function's code and works on one invocation at a time. */
export type ExecutionEnvironment = {
  /** Its output is piped: both streams are there to be read. */
  readonly process: ChildProcess;
  /** Resolves once the code is loaded; not at all when it cannot be, which ends the process. */
  readonly loaded: Promise<unknown>;
  /**
   * Gives the function's result; throws what it throws. Whoever calls watches the process and the time; `remainingMs` is
   * what the function is told.
   */
  readonly invoke: (event: unknown, remainingMs: number) => Promise<unknown>;
};

/** Starts an execution environment. */
export type StartEnvironment = (options: EnvironmentOptions) => Promise<ExecutionEnvironment>;

/** Runs the code in a child process of ours. */
export const forkEnvironment: StartEnvironment = async (options) => {
  const child = fork(fileURLToPath(new URL('./lambda-child.ts', import.meta.url)), {
    cwd: options.codeDirectory,
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: variablesOf(options),
  });
  return { process: child, loaded: once(child, 'message'), invoke: (...invocation) => exchange(child, ...invocation) };
};

/** The variables of an execution environment: the function's own and what Lambda itself sets, nothing of this machine. */
export function variablesOf(options: EnvironmentOptions): Record<string, string> {
  return {
    ...options.environment,
    _HANDLER: options.handler,
    LAMBDA_TASK_ROOT: options.codeDirectory,
    AWS_LAMBDA_FUNCTION_NAME: options.name,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(options.memoryMegabytes),
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${options.name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: 'local',
    AWS_REGION: 'us-east-1',
    // Credentials differ between functions, as their roles do: calls show who made them.
    AWS_ACCESS_KEY_ID: options.name,
    AWS_SECRET_ACCESS_KEY: 'local',
    TZ: ':UTC',
  };
}

async function exchange(child: ChildProcess, event: unknown, remainingMs: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    child.once('message', (answer: { readonly result?: unknown; readonly error?: string }) =>
      answer.error === undefined ? resolve(answer.result) : reject(new Error(answer.error)),
    );
    child.send({ event, remainingMs }, (error) => error && reject(new Error('The execution environment died')));
  });
}
