import { execFileSync, spawn } from 'node:child_process';
import { hash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { startVitest } from 'vitest/node';
import { cachedInstallation, requireCommands } from '../../support/emulators/cached-installation.ts';
import { clientConfig } from '../../support/emulators/emulators.ts';
import { readOptions } from '../command-line.ts';
import { verifyChecksums } from './verify-checksums.ts';

const usage = `usage: npm run proof -- dynamodb-local

Runs the tests of the upload store on DynamoDB Local. The first run downloads it.`;

const libraries = 'libraries';

readOptions(usage, {});
requireCommands('proof -- dynamodb-local', { mvn: 'Maven', java: 'Java 17 or newer', javac: 'its JDK' });
// The files that determine what is installed.
const installation = ['pom.xml', 'checksums.sha256'].map((name) => readFileSync(pathOf(name), 'utf8')).join('\n');
const folder = await cachedInstallation(`dynamodb-local-${hash('sha256', installation).slice(0, 12)}`, install);
const server = await startServer();
try {
  process.env.DYNAMODB_ENDPOINT = server.endpoint;
  const vitest = await startVitest('test', ['test/functions/worker/upload-store'], { watch: false });
  await vitest.close();
  await expectTables(server.endpoint);
} finally {
  await server.stop();
}

// Maven 3.9 and newer verify each file before they use it. Maven 3.8 ignores these properties and has run its own plugin
// when verifyChecksums compares the files. DynamoDB Local starts only from verified files.
function install(folder: string): void {
  const verification = {
    'aether.artifactResolver.postProcessor.trustedChecksums': true,
    'aether.artifactResolver.postProcessor.trustedChecksums.checksumAlgorithms': 'SHA-256',
    'aether.artifactResolver.postProcessor.trustedChecksums.failIfMissing': true,
    'aether.trustedChecksumsSource.summaryFile': true,
    'aether.trustedChecksumsSource.summaryFile.originAware': false,
    'aether.trustedChecksumsSource.summaryFile.basedir': pathOf('.'),
  };
  // Its own local repository, so that every file that Maven uses is among the verified ones.
  const folders = { 'maven.repo.local': join(folder, 'repository'), outputDirectory: join(folder, libraries) };
  const properties = Object.entries({ ...verification, ...folders }).map(([name, value]) => `-D${name}=${value}`);
  const words = ['--batch-mode', '--quiet', '--file', pathOf('pom.xml'), 'dependency:copy-dependencies', ...properties];
  execFileSync('mvn', words, { stdio: 'inherit' });
  verifyChecksums(folder, pathOf('checksums.sha256'));
}

async function startServer() {
  const java = spawn('java', ['-cp', join(folder, libraries, '*'), pathOf('LoopbackServer.java')]);
  const errors = text(java.stderr);
  const [endpoint] = await Promise.race([once(createInterface({ input: java.stdout }), 'line'), once(java, 'exit')]);
  if (typeof endpoint !== 'string') throw new Error(`DynamoDB Local did not start: ${await errors}`);
  return {
    endpoint,
    stop: async () => {
      java.stdin.end();
      await once(java, 'exit');
    },
  };
}

// Each test file leaves its table behind. If there is no table, the tests used another DynamoDB.
async function expectTables(endpoint: string): Promise<void> {
  const { TableNames = [] } = await new DynamoDBClient(clientConfig(endpoint)).send(new ListTablesCommand({}));
  if (TableNames.length === 0) throw new Error('The tests left no table in DynamoDB Local.');
  console.log(`DynamoDB Local contains ${TableNames.length} tables of the tests.`);
}

function pathOf(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
