import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** The configuration of one function, with the settings that Lambda has. */
export type FunctionConfig = {
  readonly name: string;
  readonly codeDirectory: string;
  readonly handler: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
  readonly memoryMegabytes: number;
};

/** A process that runs a function's code and handles one invocation at a time. */
export type ExecutionEnvironment = {
  /** Both of its output streams are piped. */
  readonly process: ChildProcess;
  /** Resolves once the code is loaded. If it cannot be loaded, the process exits and this stays pending. */
  readonly loaded: Promise<unknown>;
  /**
   * Returns the function's result, or throws its error. The caller watches the process and the time-out; `remainingMs` is
   * only what the function's context reports.
   */
  readonly invoke: (event: unknown, remainingMs: number) => Promise<unknown>;
};

export type StartEnvironment = (config: FunctionConfig) => Promise<ExecutionEnvironment>;

export type LambdaOptions = FunctionConfig & {
  /** Number of execution environments; further invocations wait for a free one. */
  readonly concurrency: number;
  readonly onLog: (line: string) => void;
  readonly startEnvironment: StartEnvironment;
};

/** A function on this machine: its bundle in child processes, with the template's environment variables only. */
export type Lambda = {
  readonly name: string;
  /**
   * Returns the function's result. Throws when the function throws, dies or exceeds its time-out. `remainingMs` is the
   * remaining time that the function's context reports, by default the time-out.
   */
  readonly invoke: (event: unknown, remainingMs?: number) => Promise<unknown>;
  /** Lambda's metrics of the same names. */
  readonly counts: () => { readonly Invocations: number; readonly Errors: number };
  /** The process ids of its execution environments. */
  readonly pids: () => readonly number[];
  readonly stop: () => void;
};

/**
 * Starts a function's execution environments and resolves once all have loaded its code. An environment that dies is
 * replaced by the next invocation that needs one.
 */
export async function startLambda(options: LambdaOptions): Promise<Lambda> {
  const pool = createPool(options);
  const counts = { Invocations: 0, Errors: 0 };
  try {
    const environments = await Promise.all(Array.from({ length: options.concurrency }, pool.acquire));
    for (const environment of environments) pool.release(environment);
  } catch (error) {
    pool.stop();
    throw error;
  }
  return {
    name: options.name,
    invoke: async (event, remainingMs = options.timeoutSeconds * 1_000) => {
      const environment = await pool.acquire();
      counts.Invocations += 1;
      try {
        return await invokeIn(environment, event, remainingMs, options.timeoutSeconds);
      } catch (error) {
        counts.Errors += 1;
        throw error;
      } finally {
        pool.release(environment);
      }
    },
    counts: () => ({ ...counts }),
    pids: pool.pids,
    stop: pool.stop,
  };
}

function createPool(options: LambdaOptions) {
  const alive = new Set<ExecutionEnvironment>();
  const idle: ExecutionEnvironment[] = [];
  let startedCount = 0;
  let isStopped = false;
  let changed = Promise.withResolvers<void>();
  const wakeWaiting = () => {
    changed.resolve();
    changed = Promise.withResolvers();
  };

  const start = async (): Promise<ExecutionEnvironment> => {
    startedCount += 1;
    const environment = await options.startEnvironment(options);
    alive.add(environment);
    environment.process.once('exit', () => {
      startedCount -= 1;
      alive.delete(environment);
      if (idle.includes(environment)) idle.splice(idle.indexOf(environment), 1);
      wakeWaiting();
    });
    for (const input of [environment.process.stdout, environment.process.stderr])
      if (input) createInterface({ input }).on('line', options.onLog);
    if (isStopped) environment.process.kill('SIGKILL');
    await Promise.race([environment.loaded, once(environment.process, 'exit')]);
    if (!alive.has(environment)) throw new Error(`${options.name} did not start`);
    return environment;
  };
  return {
    acquire: async (): Promise<ExecutionEnvironment> => {
      for (;;) {
        if (isStopped) throw new Error(`${options.name} is stopped`);
        const free = idle.pop();
        if (free) return free;
        if (startedCount < options.concurrency) return start();
        await changed.promise;
      }
    },
    release: (environment: ExecutionEnvironment): void => {
      if (environment.process.killed || !alive.has(environment)) return;
      idle.push(environment);
      wakeWaiting();
    },
    pids: () => [...alive].flatMap(({ process }) => process.pid ?? []),
    stop: (): void => {
      isStopped = true;
      wakeWaiting();
      for (const { process } of alive) process.kill('SIGKILL');
    },
  };
}

// Uses plain listeners: abort signals would create three errors with their stacks for each invocation.
async function invokeIn(
  { process, invoke }: ExecutionEnvironment,
  event: unknown,
  remainingMs: number,
  timeoutSeconds: number,
): Promise<unknown> {
  const failure = Promise.withResolvers<never>();
  const onExit = () => failure.reject(new Error('The execution environment died'));
  const timer = setTimeout(() => {
    process.kill('SIGKILL');
    failure.reject(new Error(`Task timed out after ${timeoutSeconds} seconds`));
  }, timeoutSeconds * 1_000);
  process.once('exit', onExit);
  try {
    return await Promise.race([invoke(event, remainingMs), failure.promise]);
  } finally {
    clearTimeout(timer);
    process.off('exit', onExit);
  }
}

/** Runs the code in a child process with lambda-child.ts. */
export const forkEnvironment: StartEnvironment = async (config) => {
  const child = fork(fileURLToPath(new URL('./lambda-child.ts', import.meta.url)), {
    cwd: config.codeDirectory,
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: variablesOf(config),
  });
  const invoke: ExecutionEnvironment['invoke'] = (event, remainingMs) =>
    new Promise((resolve, reject) => {
      child.once('message', (answer: { readonly result?: unknown; readonly error?: string }) =>
        answer.error === undefined ? resolve(answer.result) : reject(new Error(answer.error)),
      );
      child.send({ event, remainingMs }, (error) => error && reject(new Error('The execution environment died')));
    });
  return { process: child, loaded: once(child, 'message'), invoke };
};

/** The variables of an execution environment: the function's own and those that Lambda sets, none of this machine. */
export function variablesOf(config: FunctionConfig): Record<string, string> {
  return {
    ...config.environment,
    _HANDLER: config.handler,
    LAMBDA_TASK_ROOT: config.codeDirectory,
    AWS_LAMBDA_FUNCTION_NAME: config.name,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(config.memoryMegabytes),
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${config.name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: 'local',
    AWS_REGION: 'us-east-1',
    // Each function has its own credentials, as each has its own role, so that a call shows who made it.
    AWS_ACCESS_KEY_ID: config.name,
    AWS_SECRET_ACCESS_KEY: 'local',
    TZ: ':UTC',
  };
}

/** Finds a function by its name, or by an ARN of the function or of a version or alias of it. Throws when there is none. */
export function functionOf(nameOrArn: string, functions: ReadonlyMap<string, Lambda>): Lambda {
  const lambda = functions.get(nameOf(nameOrArn));
  if (!lambda) throw new Error(`The template has no function ${nameOrArn}.`);
  return lambda;
}

/** The function name in a name or ARN, without a version or alias. The local pipeline has one version of each function. */
export function nameOf(nameOrArn: string): string {
  return nameOrArn.replace(/^arn:.*:function:/, '').replace(/:.*$/, '');
}
