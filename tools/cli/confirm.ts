import { createInterface } from 'node:readline/promises';
import { UsageError } from './target.ts';

/**
 * Says what is going to happen and asks, unless `isSure`. Gives whether to go on; throws a UsageError where nobody can
 * be asked.
 */
export async function confirm(whatHappens: string, isSure: boolean): Promise<boolean> {
  console.error(whatHappens);
  if (isSure) return true;
  if (!process.stdin.isTTY) throw new UsageError('Nobody is here to ask: add --yes if that is what you want.');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question('Go on? [y/N] ');
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}
