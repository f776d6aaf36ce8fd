import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const command = fileURLToPath(new URL('../../../tools/capacity/run-cost.ts', import.meta.url));

test.each([
  [['--rate', '0.001'], 2, "option '--rate <n>' argument '0.001' is invalid. Use a number from 0.01 to 10000."],
  [['--rate', 'many'], 2, "option '--rate <n>' argument 'many' is invalid"],
  [['-c', 'retentionDays'], 2, "argument 'retentionDays' is invalid. Use NAME=VALUE."],
  [['--limits', '--rate', '5'], 2, "option '--limits' cannot be used with option '--rate <n>'"],
  [['--assume', 'nothing=1'], 1, '--assume nothing=1 is not allowed: use NAME=NUMBER with one of ingestMs'],
])('npm run cost explains in one line what is wrong with %s', (options, exitCode, sentence) => {
  const { status, stderr, stdout } = spawnSync(process.execPath, [command, ...options], { encoding: 'utf8' });
  expect(stderr).toContain(sentence);
  expect(stderr.trim().split('\n')).toHaveLength(1);
  expect([status, stdout]).toEqual([exitCode, '']);
});
