// The `app` command of cdk.json: runs app.ts with the project's own Node (the npm package `node`). The CDK CLI starts this
// file with the first `node` on the PATH. With a globally installed CLI that may be Node 20, which cannot run TypeScript,
// so this file is plain JavaScript. cdk.json cannot name the project's Node itself: its file name differs on Windows, and
// cmd.exe does not run `node_modules/.bin/node`. `npx node` would download a Node when the packages are not installed.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

const pathOf = (path) => fileURLToPath(new URL(path, import.meta.url));
const projectNode = pathOf(`../node_modules/node/bin/node${process.platform === 'win32' ? '.exe' : ''}`);
// The package downloads its executable in an install script, and it has none for Alpine Linux. Where it does not start,
// the Node that runs this file does as well, if it is new enough.
const isNewEnough = Number.parseInt(process.versions.node, 10) >= 24;

let app;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => app?.kill(signal));
runApp(
  existsSync(pathOf('../node_modules/aws-cdk-lib')) ? [projectNode, ...(isNewEnough ? [process.execPath] : [])] : [],
);

// Runs the app with the first Node that starts.
function runApp([node, ...others]) {
  process.exitCode = 1;
  if (!node) return console.error('The packages of this project are not installed: run `npm ci` in its folder first.');
  app = spawn(node, [pathOf('./app.ts')], { stdio: 'inherit' });
  app.on('error', () => runApp(others));
  // 128 plus the signal's number is how a shell reports a command that a signal ended.
  app.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal];
  });
}
