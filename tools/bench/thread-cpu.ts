import { readdirSync, readFileSync } from 'node:fs';

/** CPU seconds that a part of the local pipeline took. */
export type ThreadCpu = { readonly part: string; readonly seconds: number };

// USER_HZ, 100 on Linux.
const ticksPerSecond = 100;

/** The CPU so far of the threads of a process and its children, by what they are for; or since `before`. Linux only. */
export function cpuOfThreads(pid: number, before: readonly ThreadCpu[] = []): readonly ThreadCpu[] {
  const sums = new Map<string, number>();
  for (const { part, seconds } of [...threadsOf(pid), ...childrenOf(pid).flatMap(threadsOf)])
    sums.set(part, (sums.get(part) ?? 0) + seconds);
  const secondsBefore = new Map(before.map(({ part, seconds }) => [part, seconds]));
  return [...sums]
    .map(([part, seconds]) => ({ part, seconds: seconds - (secondsBefore.get(part) ?? 0) }))
    .sort((a, b) => b.seconds - a.seconds);
}

function threadsOf(pid: number): readonly ThreadCpu[] {
  const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  return readdirSync(`/proc/${pid}/task`).map((thread) => {
    const status = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8');
    const [, name = '', fields = ''] = /\((.*)\) (.*)$/s.exec(status) ?? [];
    const [user, system] = fields.split(' ').slice(11, 13).map(Number);
    return { part: partOf(commandLine, name), seconds: ((user ?? 0) + (system ?? 0)) / ticksPerSecond };
  });
}

// The names that local/loopback.ts gives its threads.
function partOf(commandLine: string, thread: string): string {
  if (commandLine.includes('lambda-child')) return 'functions';
  if (commandLine.includes('argyle/child')) return 'fake Argyle';
  if (/^aws-/.test(thread)) return thread.replace('aws-', 'engine: ');
  return thread === 'node' || thread === 'MainThread' ? 'gateway, pollers, console' : 'V8 and libuv of the pipeline';
}

function childrenOf(pid: number): readonly number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
}
