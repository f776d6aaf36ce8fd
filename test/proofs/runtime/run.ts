import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startVitest } from 'vitest/node';
import { cachedInstallation, requireCommands } from '../../support/emulators/cached-installation.ts';
import { readOptions } from '../command-line.ts';

const usage = `usage: npm run proof -- runtime

Runs the end-to-end tests with Lambda's own runtime client, aws-lambda-ric, instead of the project's. The first run
downloads and compiles it.`;

const client = { name: 'aws-lambda-ric', version: '4.0.2' };
const { platform, arch, versions } = process;

readOptions(usage, {});
requireCommands('proof -- runtime', {
  cmake: 'CMake',
  make: 'Make',
  'c++': 'g++',
  python3: 'Python 3',
  xz: 'xz-utils',
});
const folder = await cachedInstallation(
  `${client.name}-${client.version}-${platform}-${arch}-${versions.modules}`,
  install,
);

process.env.LAMBDA_RUNTIME_CLIENT = join(folder, 'node_modules', client.name, 'index.mjs');
const vitest = await startVitest('test', ['test/end-to-end', 'test/tools/local/lambda'], {
  watch: false,
  // This file runs `npm start`, which always uses the project's own client.
  exclude: ['test/end-to-end/start.test.ts'],
});
await vitest.close();

function install(cwd: string): void {
  const dependencies = { [client.name]: client.version };
  const allowScripts = { [client.name]: true };
  writeFileSync(join(cwd, 'package.json'), JSON.stringify({ private: true, dependencies, allowScripts }));
  // It must be compiled against the headers of this Node.js, which the package `node` contains.
  const headers = fileURLToPath(
    new URL(`../../../node_modules/node/node_modules/node-${platform}-${arch}`, import.meta.url),
  );
  const words = ['install', '--prefix', cwd, '--no-audit', '--no-fund', '--loglevel=error'];
  execFileSync('npm', words, { cwd, stdio: 'inherit', env: { ...process.env, npm_config_nodedir: headers } });
}
