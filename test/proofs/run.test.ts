import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const folder = fileURLToPath(new URL('.', import.meta.url));
const proof = (...words: readonly string[]) => runNode(`${folder}run.ts`, ...words);

test.each([[[]], [['--help']]])('npm run proof lists every proof when it is called with %j', async (words) => {
  const names = readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? entry.name : [],
  );
  const { code, stdout } = await proof(...words);
  expect(code).toBe(0);
  expect([...stdout.matchAll(/^ {2}(\S+)/gm)].map(([, name]) => name).sort()).toEqual(names.sort());
});

test('npm run proof exits with 2 and one sentence that lists the names when the name is unknown', async () => {
  const { code, stderr } = await proof('nothing', '--help');
  expect(code).toBe(2);
  expect(stderr).toMatch(/^There is no proof "nothing"\. Use one of deploy, .*\.\n$/);
});

test('npm run proof passes the options to the proof and exits with its code', async () => {
  const usage = expect.stringMatching(/^usage: .* mutation /);
  expect(await proof('mutation', '--help')).toMatchObject({ code: 0, stdout: usage });
  expect(await proof('mutation', '--unknown')).toMatchObject({ code: 2 });
});

test.each([
  [[], 0, '{"uploads":7,"seed":1}\n'],
  [['--uploads', '20'], 0, '{"uploads":20,"seed":1}\n'],
  [['--help'], 0, 'the usage\n'],
  [['--uploads', '0'], 2, ''],
  [['--uploads', '1.5'], 2, ''],
  [['--uploads=-1'], 2, ''],
  [['--colour', '1'], 2, ''],
])('options %j of a proof: exit code %i', async (words, code, stdout) => {
  const script = `import { readOptions } from ${JSON.stringify(`${folder}command-line.ts`)};
    console.log(JSON.stringify(readOptions('the usage', { uploads: 7, seed: 1 })));`;
  const ended = await runNode('--input-type=module', '--eval', script, '--', ...words);
  expect(ended).toMatchObject({ code, stdout });
  expect(ended.stderr).toMatch(code === 0 ? /^$/ : /'?--(uploads|colour).*\n\nthe usage\n$/s);
});

function runNode(...words: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, words, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
}
