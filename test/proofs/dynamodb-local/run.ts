import { execFileSync, spawn } from 'node:child_process';
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

const usage = `usage: npm run proof -- dynamodb-local

Runs the tests of the upload store on DynamoDB Local. The first run downloads it.`;

readOptions(usage, {});
requireCommands('proof -- dynamodb-local', { mvn: 'Maven', java: 'Java 17 or newer', javac: 'its JDK' });
const pom = readFileSync(pathOf('pom.xml'), 'utf8');
const [, version] = /DynamoDBLocal<\/artifactId>\s*<version>(.+)<\/version>/.exec(pom) ?? [];
const libraries = await cachedInstallation(`dynamodb-local-${version}`, (folder) => {
  const words = ['dependency:copy-dependencies', `-DoutputDirectory=${folder}`];
  execFileSync('mvn', ['--batch-mode', '--quiet', '--file', pathOf('pom.xml'), ...words], { stdio: 'inherit' });
});
const server = await startServer();
try {
  process.env.DYNAMODB_ENDPOINT = server.endpoint;
  const vitest = await startVitest('test', ['test/functions/worker/upload-store'], { watch: false });
  await vitest.close();
  await expectTables(server.endpoint);
} finally {
  await server.stop();
}

async function startServer() {
  const java = spawn('java', ['-cp', join(libraries, '*'), pathOf('LoopbackServer.java')]);
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
