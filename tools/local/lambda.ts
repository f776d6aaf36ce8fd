import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { EnvironmentOptions, ExecutionEnvironment, StartEnvironment } from './execution-environment.ts';

/** What one function is run from. */
export type LambdaOptions = EnvironmentOptions & {
  /** How many execution environments run; invocations beyond that wait. */
  readonly concurrency: number;
  readonly onLog: (line: string) => void;
  readonly startEnvironment: StartEnvironment;
};

/** A function on this machine: bundles in child processes with the environment of the template and nothing else. */
export type Lambda = {
  readonly name: string;
  /**
   * Gives the function's result; throws when it throws, dies or runs out of time. `remainingMs` is what the function is told
   * that it has left, instead of its time-out.
   */
  readonly invoke: (event: unknown, remainingMs?: number) => Promise<unknown>;
  /** How often it was invoked, and how often it threw, died or ran out of time: Lambda's metrics of the same names. */
  readonly counts: () => { readonly Invocations: number; readonly Errors: number };
  /** The process ids of its execution environments. */
  readonly pids: () => readonly number[];
  readonly stop: () => void;
};

/** Starts a function's execution environments; resolves once all have loaded its code. One that dies is replaced when needed. */
export async function startLambda(options: LambdaOptions): Promise<Lambda> {
  const all = new Set<ExecutionEnvironment>();
  const idle: ExecutionEnvironment[] = [];
  const waiting: ((environment: Promise<ExecutionEnvironment>) => void)[] = [];
  const counts = { Invocations: 0, Errors: 0 };
  let startedCount = 0;
  let isStopped = false;

  const start = async (): Promise<ExecutionEnvironment> => {
    startedCount += 1;
    const environment = await options.startEnvironment(options);
    all.add(environment);
    environment.process.once('exit', () => {
      startedCount -= 1;
      all.delete(environment);
      if (idle.includes(environment)) idle.splice(idle.indexOf(environment), 1);
      if (!isStopped) waiting.shift()?.(start());
    });
    for (const input of [environment.process.stdout, environment.process.stderr])
      if (input) createInterface({ input }).on('line', options.onLog);
    if (isStopped) environment.process.kill('SIGKILL');
    await Promise.race([environment.loaded, once(environment.process, 'exit')]);
    if (!all.has(environment)) throw new Error(`${options.name} did not start`);
    return environment;
  };
  const stopped = () => Promise.reject<ExecutionEnvironment>(new Error(`${options.name} is stopped`));
  const acquire = (): Promise<ExecutionEnvironment> => {
    if (isStopped) return stopped();
    const free = idle.pop();
    if (free) return Promise.resolve(free);
    if (startedCount < options.concurrency) return start();
    return new Promise((resolve) => waiting.push(resolve));
  };
  const release = (environment: ExecutionEnvironment): void => {
    if (environment.process.killed || !all.has(environment)) return;
    const next = waiting.shift();
    if (next) next(Promise.resolve(environment));
    else idle.push(environment);
  };

  const stop = (): void => {
    isStopped = true;
    for (const next of waiting.splice(0)) next(stopped());
    for (const { process } of all) process.kill('SIGKILL');
  };

  try {
    idle.push(...(await Promise.all(Array.from({ length: options.concurrency }, start))));
  } catch (error) {
    stop();
    throw error;
  }
  return {
    name: options.name,
    invoke: async (event, remainingMs = options.timeoutSeconds * 1_000) => {
      const environment = await acquire();
      counts.Invocations += 1;
      try {
        return await invokeIn(environment, event, remainingMs, options.timeoutSeconds);
      } catch (error) {
        counts.Errors += 1;
        throw error;
      } finally {
        release(environment);
      }
    },
    counts: () => ({ ...counts }),
    pids: () => [...all].flatMap(({ process }) => process.pid ?? []),
    stop,
  };
}

// Plain listeners: with abort signals, each invocation would cost this process three errors with their stacks.
async function invokeIn(
  { process, invoke }: ExecutionEnvironment,
  event: unknown,
  remainingMs: number,
  timeoutSeconds: number,
): Promise<unknown> {
  let settle: () => void = () => undefined;
  const failure = new Promise<never>((_, reject) => {
    const die = () => reject(new Error('The execution environment died'));
    const timer = setTimeout(() => {
      process.kill('SIGKILL');
      reject(new Error(`Task timed out after ${timeoutSeconds} seconds`));
    }, timeoutSeconds * 1_000);
    process.once('exit', die);
    settle = () => {
      clearTimeout(timer);
      process.off('exit', die);
    };
  });
  try {
    return await Promise.race([invoke(event, remainingMs), failure]);
  } finally {
    settle();
  }
}

/** The function of a name or an ARN, of the function itself or of a version or alias of it. */
export function functionOf(nameOrArn: string, functions: ReadonlyMap<string, Lambda>): Lambda {
  const lambda = functions.get(nameOf(nameOrArn));
  if (!lambda) throw new Error(`The template has no function ${nameOrArn}.`);
  return lambda;
}

/** The name of a function in its ARN, without the version or alias that may follow: here there is one version. */
export function nameOf(nameOrArn: string): string {
  return nameOrArn.replace(/^arn:.*:function:/, '').replace(/:.*$/, '');
}
