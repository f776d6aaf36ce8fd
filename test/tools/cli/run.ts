import { runUploads } from '../../../tools/cli/program.ts';

/**
 * Runs a command in this process and returns its exit code and what it printed. `answer` is the reply to its question.
 * Calls `onOutput` with each part of its output.
 */
export async function run(
  words: string,
  answer?: string | (() => Promise<string>),
  onOutput: (text: string) => void = () => undefined,
) {
  const printed = { out: '', err: '' };
  const code = await runUploads(words.split(' '), {
    write: (text) => {
      printed.out += text;
      onOutput(text);
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
