import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const repository = fileURLToPath(new URL('../..', import.meta.url));
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'argyle-uploads-app-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the CDK CLI does not synthesize production, for any command, until argyleCredentials is stated', () => {
  const { status, stderr } = spawnSync(
    'node',
    ['node_modules/aws-cdk/bin/cdk', 'diff', '--no-notices', '-c', 'stage=production', '-c', 'stages={}'],
    { cwd: repository, encoding: 'utf8' },
  );
  expect([status, stderr.split('\n')[0]]).toEqual([1, expect.stringContaining('add "argyleCredentials": "NAME"')]);
});

test('the CDK CLI runs the app even if the first node on the PATH cannot, and a wrong value prints one sentence', () => {
  const old = join(folder, 'old');
  const refusal = 'case "$1" in *.ts) echo "This Node runs no TypeScript." >&2; exit 9;; esac';
  writeExecutable(join(old, 'node'), `#!/bin/sh\n${refusal}\nexec "${oldNode() ?? process.execPath}" "$@"`);

  const { status, stdout, stderr } = spawnSync(
    'node',
    ['node_modules/aws-cdk/bin/cdk', 'synth', '--no-notices', '-c', 'stage=prod', '--output', join(folder, 'assembly')],
    { cwd: repository, encoding: 'utf8', env: { ...process.env, PATH: [old, ...outsidePath()].join(delimiter) } },
  );

  expect({ status, stdout, stderr }).toEqual({
    status: 1,
    stdout: '',
    stderr:
      `The context value stage="prod" is not allowed: use 'sandbox' or 'production'.\n` +
      // The CLI's own line.
      'node tools/run.mjs infra/app.ts: Subprocess exited with error 1\n',
  });
});

function writeExecutable(file: string, script: string): void {
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, `${script}\n`, { mode: 0o755 });
}

// The PATH without the project's own executables.
function outsidePath(): string[] {
  return (process.env.PATH ?? '').split(delimiter).filter((entry) => !entry.includes('node_modules'));
}

// A Node older than 22 on this machine, if there is one.
function oldNode(): string | undefined {
  return outsidePath()
    .map((entry) => join(entry, 'node'))
    .filter(existsSync)
    .find(
      (file) => Number.parseInt(execFileSync(file, ['-p', 'process.versions.node'], { encoding: 'utf8' }), 10) < 22,
    );
}
