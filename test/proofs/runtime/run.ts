import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startVitest } from 'vitest/node';
import { installedPart, requireCommands } from '../../support/emulators/installed-part.ts';

const client = { name: 'aws-lambda-ric', version: '4.0.2' };
const { platform, arch, versions } = process;

requireCommands('test:runtime', { cmake: 'CMake', make: 'Make', 'c++': 'g++', python3: 'Python 3', xz: 'xz-utils' });
const folder = await installedPart(`${client.name}-${client.version}-${platform}-${arch}-${versions.modules}`, install);

// AWS's own client instead of ours, wherever a test runs a function.
process.env.LAMBDA_RUNTIME_CLIENT = join(folder, 'node_modules', client.name, 'index.mjs');
const vitest = await startVitest('test', ['test/end-to-end', 'test/tools/local/lambda'], {
  watch: false,
  // It starts `npm start` itself, which runs the functions with our client.
  exclude: ['test/end-to-end/start.test.ts'],
});
await vitest.close();

function install(cwd: string): void {
  const dependencies = { [client.name]: client.version };
  writeFileSync(
    join(cwd, 'package.json'),
    JSON.stringify({ private: true, dependencies, allowScripts: { [client.name]: true } }),
  );
  // It is compiled against the headers that come with the Node of the project: others are not for this Node, or not there.
  const headers = fileURLToPath(
    new URL(`../../../node_modules/node/node_modules/node-${platform}-${arch}`, import.meta.url),
  );
  const words = ['install', '--prefix', cwd, '--no-audit', '--no-fund', '--loglevel=error'];
  execFileSync('npm', words, { cwd, stdio: 'inherit', env: { ...process.env, npm_config_nodedir: headers } });
}
