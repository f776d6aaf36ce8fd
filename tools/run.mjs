// Runs one TypeScript file of this project: `node tools/run.mjs tools/cli/uploads.ts status`.
// It is plain JavaScript without dependencies, so that it starts on Node.js 18 and before `npm ci`.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { isatty } from 'node:tty';
import { fileURLToPath } from 'node:url';

// Lambda's version, and the one that package.json pins. Node.js 20 does not run TypeScript.
const minMajor = 24;
const root = new URL('../', import.meta.url);

await run(...process.argv.slice(2));

async function run(file, ...words) {
  if (!existsSync(new URL('node_modules', root)))
    return fail('Run npm ci first: it installs the packages and the Node.js version that this command needs.');
  const url = new URL(file, root);
  if (Number.parseInt(process.versions.node, 10) >= minMajor) return runHere(url);
  const node = fileURLToPath(new URL(`node_modules/${nodePackage()}/bin/${nodeFile()}`, root));
  if (!existsSync(node))
    return fail(
      `This is Node.js ${process.versions.node}, and ${minMajor} is needed: run npm ci without --omit=optional, or install Node.js ${minMajor} if package.json has no ${nodePackage()}.`,
    );
  runWith(node, [fileURLToPath(url), ...words]);
}

// The package of this machine's platform. npm skips the other optionalDependencies that contain Node.js.
function nodePackage() {
  const { platform, arch } = process;
  if (platform === 'win32') return `node-win-${arch}`;
  return `${platform === 'darwin' && arch === 'arm64' ? 'node-bin' : 'node'}-${platform}-${arch}`;
}

function nodeFile() {
  return process.platform === 'win32' ? 'node.exe' : 'node';
}

async function runHere(url) {
  process.argv.splice(1, 2, fileURLToPath(url));
  onceOrphaned(() => process.kill(process.pid, 'SIGTERM'));
  await import(url);
}

function runWith(node, words) {
  const child = spawn(node, words, { stdio: 'inherit' });
  // A terminal sends SIGINT and SIGHUP to the child too. Forwarding them would deliver them twice.
  const isInTerminal = [0, 1, 2].some(isatty);
  for (const signal of ['SIGINT', 'SIGHUP']) process.on(signal, () => isInTerminal || child.kill(signal));
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  onceOrphaned(() => child.kill('SIGTERM'));
  child.on('error', ({ message }) => fail(`${message}: run npm ci again.`));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal];
  });
}

// npm forwards some signals to its shell, which ends without forwarding them: this process then has another parent. SIGHUP
// ends npm alone: the shell then has another parent, which only Linux shows.
function onceOrphaned(stop) {
  const parents = () => `${process.ppid} ${process.env.npm_lifecycle_event ? parentOf(process.ppid) : ''}`;
  const before = parents();
  const timer = setInterval(() => {
    if (parents() === before) return;
    clearInterval(timer);
    stop();
  }, 250);
  timer.unref();
}

function parentOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')')).split(' ')[2];
  } catch {
    return '';
  }
}

function fail(sentence) {
  console.error(sentence);
  process.exitCode = 2;
}
