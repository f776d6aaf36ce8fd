import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { synthesize } from '../../../tools/local/synthesize.ts';
import { stageContexts } from '../../support/assemblies.ts';
import { requireCommands } from '../../support/emulators/cached-installation.ts';
import { type Argyle, startArgyle } from '../../support/fakes/argyle-api.ts';
import { readOptions } from '../command-line.ts';
import { connectedContext, type LoggedArgyle, runConnected } from './argyle.ts';
import { type Assemblies, type Context, deploymentsTo } from './deployments.ts';
import { startEmulator } from './emulator.ts';
import { runProduction } from './production.ts';
import { findPython, virtualEnvironment } from './python-environment.ts';
import { runSandbox, runWithoutWorkarounds } from './stages.ts';
import { lintWithCfnLint, lintWithCheckov, readReasons, unexplained } from './static-checks.ts';
import { printSummary, StepFailed, step } from './steps.ts';

const usage = `usage: npm run proof -- deploy

Bootstraps, deploys, changes and destroys the stack with the CDK CLI in MiniStack, an AWS emulator with TLS and IAM: both
stages, and a sandbox connected to a fake Argyle. Sends webhooks to each. Lints the templates with cfn-lint and checkov.
The first run downloads MiniStack and the linters.`;

readOptions(usage, {});
// Four times the duration on the slowest machine so far.
const timeoutMinutes = 45;
const onTimeout = () => {
  console.error(`FAILED: not finished after ${timeoutMinutes} minutes.`);
  process.exit(1);
};
setTimeout(onTimeout, timeoutMinutes * 60_000).unref();
// `exit` also stops the emulator.
process.exitCode = (await run()) ? 0 : 1;

async function run(): Promise<boolean> {
  const python = await findPython();
  requireCommands('proof -- deploy', { openssl: 'openssl' });
  const linters = await virtualEnvironment(python, 'linter-requirements.txt');
  const emulator = await virtualEnvironment(python, 'emulator-requirements.txt');
  const log: string[] = [];
  const argyle = { ...(await startArgyle({ onLog: (line) => log.push(line) })), log };
  const contexts = Object.entries(contextsFor(argyle));
  const synthesized = await step('cdk synth', () => Promise.all(contexts.map(([, context]) => synthesize(context))));
  const directories = contexts.map(([name], index) => [name, synthesized[index]?.directory]);
  const assemblies = Object.fromEntries(directories) as Assemblies;
  try {
    // Neither half depends on the other.
    await skipAfterFailure(checkTemplates(linters, assemblies));
    await skipAfterFailure(deployToEmulator(emulator, assemblies, argyle));
  } finally {
    for (const assembly of synthesized) await assembly.remove();
    await argyle.stop();
  }
  return printSummary();
}

function contextsFor(argyle: Argyle): Readonly<Record<keyof Assemblies, Context>> {
  return {
    ...stageContexts,
    changed: { ...stageContexts.sandbox, retentionDays: '91', alarmEmail: 'ops@example.com' },
    connected: connectedContext(argyle),
    renamed: { ...connectedContext(argyle), webhookName: 'another name' },
    connectedProduction: connectedContext(argyle, 'production'),
    renamedProduction: { ...connectedContext(argyle, 'production'), webhookName: 'another name' },
  };
}

async function skipAfterFailure(steps: Promise<void>): Promise<void> {
  await steps.catch((error) => {
    if (!(error instanceof StepFailed)) throw error;
  });
}

async function checkTemplates(python: string, { sandbox, production, connected }: Assemblies): Promise<void> {
  await step('cfn-lint and checkov: no finding without a reason', async () => {
    const templates = [sandbox, production, connected];
    const findings = await Promise.all([lintWithCfnLint(python, templates), lintWithCheckov(python, templates)]);
    assert.deepEqual(unexplained(findings.flat(), readReasons()), []);
  });
}

async function deployToEmulator(python: string, assemblies: Assemblies, argyle: LoggedArgyle): Promise<void> {
  const requirements = readFileSync(new URL('./emulator-requirements.txt', import.meta.url), 'utf8');
  const [, version] = /^ministack==(\S+)/m.exec(requirements) ?? [];
  const emulator = await step(`MiniStack ${version} starts`, () => startEmulator(python));
  const deployments = deploymentsTo(emulator);
  try {
    await step('with TLS and IAM', async () =>
      assert.deepEqual([emulator.auth, emulator.version], ['enabled', version]),
    );
    await step('cdk bootstrap', deployments.bootstrap);
    await runWithoutWorkarounds(deployments, assemblies);
    await runSandbox(deployments, assemblies);
    await runConnected(deployments, assemblies, argyle);
    await runProduction(deployments, assemblies, argyle);
  } catch (error) {
    const printed = emulator.log().split('\n').slice(-40);
    console.error(`The last lines that MiniStack and the functions printed:\n${printed.join('\n')}`);
    throw error;
  } finally {
    deployments.close();
    await emulator.stop();
  }
}
