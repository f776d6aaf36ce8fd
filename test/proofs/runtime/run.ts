import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startVitest } from 'vitest/node';
import { lockedPackages, requireCommands } from '../../support/emulators/cached-installation.ts';
import { readOptions } from '../command-line.ts';

const usage = `usage: npm run proof -- runtime

Runs the end-to-end tests with Lambda's own runtime client, aws-lambda-ric, instead of the project's. The first run
downloads and compiles it.`;

const client = 'aws-lambda-ric';

readOptions(usage, {});
requireCommands('proof -- runtime', {
  cmake: 'CMake',
  make: 'Make',
  'c++': 'g++',
  python3: 'Python 3',
  xz: 'xz-utils',
});
// It must be compiled against the headers of this Node.js, which are beside its executable.
const npm_config_nodedir = join(realpathSync(process.execPath), '../..');
const folder = await lockedPackages(client, fileURLToPath(new URL('.', import.meta.url)), {
  scripts: { npm_config_nodedir },
});

process.env.LAMBDA_RUNTIME_CLIENT = join(folder, 'node_modules', client, 'index.mjs');
const vitest = await startVitest('test', ['test/end-to-end', 'test/tools/local/lambda'], {
  watch: false,
  // This file runs `npm start`, which always uses the project's own client.
  exclude: ['test/end-to-end/start.test.ts'],
});
await vitest.close();
