import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { synthesize } from '../../../tools/local/synthesize.ts';
import { type Argyle, startArgyle } from '../../support/fakes/argyle-api.ts';
import type { LoggedArgyle } from './argyle-checks.ts';
import type { Context } from './cdk.ts';
import { connectedContext, runConnected } from './connected.ts';
import { type Assemblies, deploymentsTo } from './deployments.ts';
import { findOpenssl, startEmulator } from './emulator.ts';
import { findPython, MissingRequirement, virtualEnvironment } from './python-environment.ts';
import { runProduction, runSandbox, runUntouched } from './stages.ts';
import { lintWithCfnLint, lintWithCheckov, readReasons, unexplained } from './static-checks.ts';
import { createSteps, StepFailed } from './steps.ts';

// Both stages as their users deploy them; `changed` is a second deployment of the first one. Then the sandbox with
// credentials for Argyle, whose place a fake takes; `renamed` is a second deployment of that.
const contextsFor = (argyle: Argyle): Readonly<Record<keyof Assemblies, Context>> => ({
  sandbox: { stage: 'sandbox' },
  changed: { stage: 'sandbox', retentionDays: '91', alarmEmail: 'ops@example.com' },
  production: { stage: 'production', alarmEmail: 'ops@example.com' },
  connected: connectedContext(argyle),
  renamed: { ...connectedContext(argyle), webhookName: 'another name' },
});

const steps = createSteps();
// Should something hang: four times what the busiest machine was seen to take.
const tooLongMs = 45 * 60_000;
setTimeout(() => {
  console.error('FAILED: not done after 45 minutes.');
  process.exit(1);
}, tooLongMs).unref();
// Ended by a signal, it ends what it has started.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
try {
  await run();
  process.exitCode = steps.hasFailed() ? 1 : 0;
} catch (error) {
  if (!(error instanceof MissingRequirement)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}

async function run(): Promise<void> {
  const python = await findPython();
  await findOpenssl();
  const linters = await virtualEnvironment(python, 'linter-requirements.txt');
  const emulator = await virtualEnvironment(python, 'emulator-requirements.txt');
  const log: string[] = [];
  const argyle = { ...(await startArgyle({ onLog: (line) => log.push(line) })), log };
  const contexts = contextsFor(argyle);
  const names = Object.keys(contexts) as (keyof Assemblies)[];
  const made = await steps.step('cdk synth', () => Promise.all(names.map((name) => synthesize(contexts[name]))));
  const assemblies = Object.fromEntries(names.map((name, index) => [name, made[index]?.directory])) as Assemblies;
  try {
    // Two halves that do not depend on each other.
    const halves = [() => checkTemplates(linters, assemblies), () => deployToEmulator(emulator, assemblies, argyle)];
    for (const half of halves)
      await half().catch((error) => {
        if (!(error instanceof StepFailed)) throw error;
      });
  } finally {
    for (const assembly of made) await assembly.remove();
    await argyle.stop();
  }
  console.log(`test:deploy: ${steps.summary()}`);
}

async function checkTemplates(python: string, { sandbox, production, connected }: Assemblies): Promise<void> {
  await steps.step(
    'cfn-lint and checkov: no finding without a reason, in both stages and with credentials',
    async () => {
      const stages = [sandbox, production, connected];
      const findings = await Promise.all([lintWithCfnLint(python, stages), lintWithCheckov(python, stages)]);
      assert.deepEqual(unexplained(findings.flat(), readReasons()), []);
    },
  );
}

async function deployToEmulator(python: string, assemblies: Assemblies, argyle: LoggedArgyle): Promise<void> {
  const emulator = await steps.step(`MiniStack ${pinnedVersion()} runs, with TLS and IAM`, async () => {
    const started = await startEmulator(python);
    assert.deepEqual([started.auth, started.version], ['enabled', pinnedVersion()]);
    return started;
  });
  const deployments = deploymentsTo(emulator);
  try {
    await steps.step('cdk bootstrap', deployments.bootstrap);
    await runUntouched(steps.step, deployments, assemblies);
    await runSandbox(steps.step, deployments, assemblies);
    await runConnected(steps.step, deployments, assemblies, argyle);
    await runProduction(steps.step, deployments, assemblies);
  } catch (error) {
    console.error(
      `The end of what MiniStack and the functions printed:\n${emulator.log().split('\n').slice(-40).join('\n')}`,
    );
    throw error;
  } finally {
    deployments.close();
    await emulator.stop();
  }
}

function pinnedVersion(): string | undefined {
  const requirements = readFileSync(new URL('./emulator-requirements.txt', import.meta.url), 'utf8');
  return /^ministack==(.+)$/m.exec(requirements)?.[1];
}
