import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const launcher = join(repository, 'tools/run.mjs');
const nodePackage = `${process.platform === 'darwin' && process.arch === 'arm64' ? 'node-bin' : 'node'}-${process.platform}-${process.arch}`;
const printAndExit = `
const words: readonly string[] = process.argv.slice(1);
console.log(JSON.stringify({ version: process.versions.node, words, folder: process.cwd() }));
process.exitCode = Number(process.argv[2]);
`;
const waitForSignal = `
const codes = { SIGINT: 42, SIGTERM: 43 } as const;
for (const [signal, code] of Object.entries(codes)) process.once(signal, () => process.exit(code));
setInterval(() => {}, 1000);
console.log('ready');
`;

let project: string;
let oldNode: string;
beforeEach(async () => {
  project = await createFolder();
  await cp(launcher, join(project, 'tools/run.mjs'));
  await writeFile(join(project, 'print.ts'), printAndExit);
  await writeFile(join(project, 'wait.ts'), waitForSignal);
  oldNode = join(project, 'old-node');
  await writeFile(oldNode, oldNodeScript(), { mode: 0o755 });
});

test('without node_modules the launcher prints one sentence, on any Node.js', async () => {
  for (const node of [process.execPath, oldNode])
    expect(await run(node, ['tools/run.mjs', 'print.ts'])).toEqual({
      code: 2,
      stdout: '',
      stderr: 'Run npm ci first: it installs the packages and the Node.js version that this command needs.\n',
    });
});

test('an old Node.js runs no TypeScript, and without the installed Node.js the launcher prints one sentence', async () => {
  await mkdir(join(project, 'node_modules'));

  expect((await run(oldNode, ['print.ts', '0'])).stderr).toContain('ERR_UNKNOWN_FILE_EXTENSION');
  expect(await run(oldNode, ['tools/run.mjs', 'print.ts'])).toEqual({
    code: 2,
    stdout: '',
    stderr: `This is Node.js 20.20.2, and 24 is needed: run npm ci without --omit=optional, or install Node.js 24 if package.json has no ${nodePackage}.\n`,
  });
});

test('Vitest refuses to run on an old Node.js', async () => {
  const { code, stderr } = await run(oldNode, ['node_modules/vitest/vitest.mjs', 'list'], repository);

  expect(code).toBe(1);
  expect(stderr).toContain('The tests need Node.js 24, and this is 20.20.2: run npm ci without --omit=optional.');
});

describe.each([
  { started: 'a current Node.js', node: () => process.execPath },
  { started: 'an old Node.js', node: () => oldNode },
])('after npm ci, started by $started,', ({ node }) => {
  beforeEach(install);

  test('the file runs on a current Node.js, in the caller’s folder, with its arguments and exit code', async () => {
    const folder = await createFolder();

    const { code, stdout, stderr } = await run(
      node(),
      [join(project, 'tools/run.mjs'), 'print.ts', '7', 'a b'],
      folder,
    );

    const words = [join(project, 'print.ts'), '7', 'a b'];
    expect({ code, stderr }).toEqual({ code: 7, stderr: '' });
    expect(JSON.parse(stdout)).toEqual({ version: process.versions.node, words, folder });
  });

  test.each([
    { signal: 'SIGINT', code: 42 },
    { signal: 'SIGTERM', code: 43 },
  ] as const)('$signal reaches the file', async ({ signal, code }) => {
    const child = start(node(), ['tools/run.mjs', 'wait.ts']);
    await once(child.stdout, 'data');

    child.kill(signal);

    expect(await once(child, 'exit')).toEqual([code, null]);
  });
});

test.each([
  { started: 'a current Node.js', node: () => process.execPath },
  { started: 'an old Node.js', node: () => oldNode },
])('the file ends when the shell that started the launcher is killed, started by $started', async ({ node }) => {
  await install();
  const shell = start('sh', ['-c', '"$0" tools/run.mjs wait.ts; true', node()]);
  await once(shell.stdout, 'data');

  shell.kill('SIGKILL');

  // The stream closes when the last process that has it open has ended.
  await once(shell.stdout, 'close');
});

// Other systems do not show the parent of the shell.
test.runIf(process.platform === 'linux').each([
  { started: 'a current Node.js', node: () => process.execPath },
  { started: 'an old Node.js', node: () => oldNode },
])('the file ends when SIGHUP ends npm alone, started by $started', async ({ node }) => {
  await install();
  await writeFile(
    join(project, 'package.json'),
    JSON.stringify({ scripts: { start: `${node()} tools/run.mjs wait.ts; true` } }),
  );
  const npm = start('npm', ['start']);
  for await (const chunk of npm.stdout.iterator({ destroyOnReturn: false })) if (String(chunk).includes('ready')) break;

  npm.kill('SIGHUP');

  npm.stdout.resume();
  await once(npm.stdout, 'close');
});

// Reports version 20 and refuses TypeScript, as Node.js 20 does.
function oldNodeScript(): string {
  const version = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } })`;
  const options = `--no-experimental-strip-types --import "data:text/javascript,${version}"`;
  return `#!/bin/sh\nexec '${process.execPath}' ${options} "$@"\n`;
}

async function createFolder(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'run-')));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

async function install(): Promise<void> {
  const folder = join(project, 'node_modules', nodePackage, 'bin');
  await mkdir(folder, { recursive: true });
  await symlink(process.execPath, join(folder, 'node'));
}

function start(
  command: string,
  words: readonly string[],
  cwd = project,
): ChildProcessByStdio<null, Readable, Readable> {
  return spawn(command, words, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
}

async function run(node: string, words: readonly string[], cwd?: string) {
  const child = start(node, words, cwd);
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code, stdout, stderr };
}
