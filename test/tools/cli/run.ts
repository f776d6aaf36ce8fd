import { runUploads } from '../../../tools/cli/program.ts';

/** Runs a command in this process and returns its exit code and what it printed. `answer` is the reply to its question. */
export async function run(words: string, answer?: string | (() => Promise<string>)) {
  const printed = { out: '', err: '' };
  const code = await runUploads(words.split(' '), {
    write: (text) => {
      printed.out += text;
    },
    writeError: (text) => {
      printed.err += text;
    },
    ...(answer !== undefined && { ask: typeof answer === 'string' ? async () => answer : answer }),
  });
  return { code, ...printed };
}

/** Runs a command with --json and returns its result. */
export async function runJson(words: string, answer?: string) {
  return JSON.parse((await run(`--json ${words}`, answer)).out);
}
