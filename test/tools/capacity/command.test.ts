import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const command = fileURLToPath(new URL('../../../tools/capacity/run-cost.ts', import.meta.url));

test.each([
  [['--rate', '0.001'], '--rate 0.001 is not allowed: use webhooks a second from 0.01 to 10000.'],
  [['--rate', 'many'], '--rate many is not allowed'],
  [['--context', 'retentionDays'], '--context retentionDays is not allowed: use KEY=VALUE.'],
  [['--assume', 'nothing=1'], '--assume nothing=1 is not allowed: use NAME=NUMBER with one of ingestMs'],
])('npm run cost says what is wrong with %s', (options, sentence) => {
  const { status, stderr, stdout } = spawnSync(process.execPath, [command, ...options], { encoding: 'utf8' });
  expect(stderr).toContain(sentence);
  expect(stderr.trim().split('\n')).toHaveLength(1);
  expect([status, stdout]).toEqual([2, '']);
});
