import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** What one function is run from. */
export type LambdaOptions = {
  readonly name: string;
  readonly codeDirectory: string;
  readonly handler: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
  readonly memoryMegabytes: number;
  /** How many execution environments run; invocations beyond that wait. */
  readonly concurrency: number;
  readonly onLog: (line: string) => void;
};

/** A function on this machine: bundles in child processes with the environment of the template and nothing else. */
export type Lambda = {
  readonly name: string;
  /** Gives the function's result; throws when it throws, dies or runs out of time. */
  readonly invoke: (event: unknown) => Promise<unknown>;
  /** How often it was invoked, and how often it threw, died or ran out of time: Lambda's metrics of the same names. */
  readonly counts: () => { readonly Invocations: number; readonly Errors: number };
  /** The process ids of its execution environments. */
  readonly pids: () => readonly number[];
  readonly stop: () => void;
};

/** Starts a function's execution environments; resolves once all have loaded its code. One that dies is replaced when needed. */
export async function startLambda(options: LambdaOptions): Promise<Lambda> {
  const all = new Set<ChildProcess>();
  const idle: ChildProcess[] = [];
  const waiting: ((environment: Promise<ChildProcess>) => void)[] = [];
  const counts = { Invocations: 0, Errors: 0 };
  let isStopped = false;

  const start = async (): Promise<ChildProcess> => {
    const child = startEnvironment(options);
    all.add(child);
    child.once('exit', () => {
      all.delete(child);
      if (idle.includes(child)) idle.splice(idle.indexOf(child), 1);
      if (!isStopped) waiting.shift()?.(start());
    });
    await Promise.race([once(child, 'message'), once(child, 'exit')]);
    if (!all.has(child)) throw new Error(`${options.name} did not start`);
    return child;
  };
  const stopped = () => Promise.reject<ChildProcess>(new Error(`${options.name} is stopped`));
  const acquire = (): Promise<ChildProcess> => {
    if (isStopped) return stopped();
    const free = idle.pop();
    if (free) return Promise.resolve(free);
    if (all.size < options.concurrency) return start();
    return new Promise((resolve) => waiting.push(resolve));
  };
  const release = (child: ChildProcess): void => {
    if (child.killed || !child.connected) return;
    const next = waiting.shift();
    if (next) next(Promise.resolve(child));
    else idle.push(child);
  };

  const stop = (): void => {
    isStopped = true;
    for (const next of waiting.splice(0)) next(stopped());
    for (const child of all) child.kill('SIGKILL');
  };

  try {
    idle.push(...(await Promise.all(Array.from({ length: options.concurrency }, start))));
  } catch (error) {
    stop();
    throw error;
  }
  return {
    name: options.name,
    invoke: async (event) => {
      const child = await acquire();
      counts.Invocations += 1;
      try {
        return await invokeIn(child, event, options.timeoutSeconds * 1_000);
      } catch (error) {
        counts.Errors += 1;
        throw error;
      } finally {
        release(child);
      }
    },
    counts: () => ({ ...counts }),
    pids: () => [...all].flatMap(({ pid }) => pid ?? []),
    stop,
  };
}

function startEnvironment(options: LambdaOptions): ChildProcess {
  const child = fork(fileURLToPath(new URL('./lambda-child.ts', import.meta.url)), {
    cwd: options.codeDirectory,
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: {
      ...options.environment,
      // What Lambda itself sets.
      _HANDLER: options.handler,
      LAMBDA_TASK_ROOT: options.codeDirectory,
      AWS_LAMBDA_FUNCTION_NAME: options.name,
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(options.memoryMegabytes),
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_REGION: 'us-east-1',
      // Credentials differ between functions, as their roles do: calls show who made them.
      AWS_ACCESS_KEY_ID: options.name,
      AWS_SECRET_ACCESS_KEY: 'local',
      TZ: ':UTC',
    },
  });
  for (const stream of [child.stdout, child.stderr]) {
    if (stream) createInterface({ input: stream }).on('line', options.onLog);
  }
  return child;
}

async function invokeIn(child: ChildProcess, event: unknown, timeoutMs: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void) => {
      clearTimeout(timer);
      child.off('message', onMessage).off('exit', onExit);
      settle();
    };
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      finish(() => reject(new Error(`Task timed out after ${timeoutMs / 1_000} seconds`)));
    }, timeoutMs);
    const onExit = () => finish(() => reject(new Error('The execution environment died')));
    const onMessage = (answer: { readonly result?: unknown; readonly error?: string }) =>
      finish(() => (answer.error === undefined ? resolve(answer.result) : reject(new Error(answer.error))));
    child.on('message', onMessage).once('exit', onExit);
    child.send(event as object, (error) => error && onExit());
  });
}
