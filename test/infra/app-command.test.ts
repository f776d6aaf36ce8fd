import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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

test('the CDK CLI runs the app although the first node on the PATH cannot, and a wrong value prints one sentence', () => {
  const old = join(folder, 'old');
  const refusal = 'case "$*" in *.ts*) echo "This Node runs no TypeScript." >&2; exit 9;; esac';
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
      'node infra/run-app.mjs: Subprocess exited with error 1\n',
  });
});

test.each([
  ['exit 0', 0],
  ['exit 7', 7],
  ['kill -TERM $$', 143],
  // The launcher passes the signal on; without that this ends after a minute.
  ['trap "exit 5" TERM; kill -TERM $PPID; for i in $(seq 3000); do sleep 0.02; done', 5],
])('the exit code of an app that runs `%s` is %d', (script, status) => {
  expect(runApp(projectWith({ node: `#!/bin/sh\n${script}` }))).toEqual({ status, stderr: '' });
});

test.each(['', '#!/bin/sh\nexit 0'])('without the packages, one sentence asks for npm ci', (node) => {
  const stderr = 'The packages of this project are not installed: run `npm ci` in its folder first.\n';
  expect(runApp(projectWith({ node, library: false }))).toEqual({ status: 1, stderr });
});

test.each(['', '#!/nowhere'])(
  'where the Node of the project does not start, one that is new enough runs the app',
  (node) => {
    expect(runApp(projectWith({ node }))).toEqual({ status: 6, stderr: '' });
  },
);

// A project of the launcher, an app that exits with 6, and packages that contain nothing but what the launcher looks for.
function projectWith({ node, library = true }: { readonly node: string; readonly library?: boolean }): string {
  const project = mkdtempSync(join(folder, 'project-'));
  cpSync(join(repository, 'infra/run-app.mjs'), join(project, 'infra/run-app.mjs'));
  writeFileSync(join(project, 'infra/app.ts'), 'process.exitCode = 6 satisfies number;');
  if (node) writeExecutable(join(project, 'node_modules/node/bin/node'), node);
  if (library) mkdirSync(join(project, 'node_modules/aws-cdk-lib'), { recursive: true });
  return project;
}

function runApp(project: string) {
  const { status, stderr } = spawnSync(process.execPath, ['infra/run-app.mjs'], { cwd: project, encoding: 'utf8' });
  return { status, stderr };
}

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
