import assert from 'node:assert/strict';
import { eventTypes } from '../../../functions/domain/events.ts';
import { readTemplate } from '../../../tools/local/template.ts';
import { stageContexts } from '../../support/assemblies.ts';
import { newUpload, webhookBody } from '../../support/fakes/argyle-sender.ts';
import {
  checkEveryEvent,
  checkOneUpload,
  checkPoison,
  checkQuarantine,
  checkUnsigned,
  expectAnswer,
  type UploadRecord,
} from './delivery-checks.ts';
import type { DeployedStack } from './deployed-stack.ts';
import type { Assemblies, Context, Deployments } from './deployments.ts';
import { checkGone, checkQueues, checkTable } from './resource-checks.ts';
import { step } from './steps.ts';
import { denyAll, refusedTypesIn, refusesMetricMath, typesRefusedBy } from './template-patches.ts';
import { unneededWorkarounds, workarounds } from './workarounds.ts';

/** Deploys without work-arounds: the emulator must still need all of them. */
export async function runWithoutWorkarounds(deployments: Deployments, { sandbox, production }: Assemblies) {
  const { deployKnownTypes, deployWithoutWorkarounds, destroy } = deployments;
  await checkRefusedTypes(deployments, sandbox, stageContexts.sandbox);
  await checkRefusedTypes(deployments, production, stageContexts.production);
  await step('cdk deploy without these types: refused for metric math', async () => {
    await assert.rejects(deployKnownTypes(sandbox), refusesMetricMath);
  });
  const stack = await step('cdk deploy without either', () => deployWithoutWorkarounds(sandbox));
  for (const { name, seen, wrong } of workarounds) console.log(`     work-around ${name} (${seen}): ${wrong}`);
  await step(`all ${workarounds.length} work-arounds are still needed`, async () =>
    assert.deepEqual(
      await unneededWorkarounds(stack),
      [],
      'MiniStack is correct now: remove these from workarounds.ts',
    ),
  );
  await step('cdk destroy', () => destroy(sandbox));
  await step('queues, table and URL are gone', () => checkGone(stack));
}

/** Deploys, changes and destroys a sandbox. */
export async function runSandbox({ deploy, deployNew, destroy }: Deployments, assemblies: Assemblies): Promise<void> {
  const sandbox = await step('cdk deploy, sandbox', () => deployNew(assemblies.sandbox));
  const records = await checkStack(sandbox);
  await step('all events of one upload produce one record, which every index finds', () => checkOneUpload(sandbox));
  await step('without a correct signature: 401 and no record', () => checkUnsigned(sandbox));
  await step('signed but not understood: kept byte for byte', () => checkQuarantine(sandbox));
  await step('poison in every queue: a dead letter, its neighbours applied', () => checkPoison(sandbox));

  const changed = await step('cdk deploy again, with a change', () => deploy(assemblies.changed));
  await step('the setting has changed; records, URL and secret have not', () => checkKept(sandbox, changed, records));
  await checkStack(changed);

  // Without this check, the steps above could also succeed if MiniStack did not enforce the functions' roles.
  const powerless = await step('cdk deploy with roles that allow nothing', () => deploy(assemblies.changed, denyAll));
  await step('then a signed webhook is answered 503', async () => {
    for (const event of eventTypes)
      expectAnswer(await powerless.post(webhookBody(event, newUpload())), 503, 'unavailable');
  });
  await step('cdk destroy', () => destroy(assemblies.changed));
  await step('queues, table and URL are gone', () => checkGone(changed));
}

/** Checks that MiniStack refuses the unpatched template only because of the refused types that the assembly contains. */
export async function checkRefusedTypes({ deployContext }: Deployments, assembly: string, context: Context) {
  const refused = refusedTypesIn(readTemplate(assembly));
  const choices = Object.entries(context).map(([key, value]) => `${key}=${value}`);
  await step(`cdk deploy -c ${choices.join(' -c ')}: refused only for ${refused.join(', ')}`, async () => {
    const error = await deployContext(context).catch((error) => error);
    assert.deepEqual(typesRefusedBy(error), refused, error?.message ?? 'It was not refused.');
  });
}

/** Checks the resources of a stack, and sends it every event. Returns the records. */
export async function checkStack(stack: DeployedStack): Promise<readonly UploadRecord[]> {
  await step('queues and table match the template', async () => {
    await checkQueues(stack);
    await checkTable(stack);
  });
  return step(`${eventTypes.length} events: signed, accepted, each in its record`, () => checkEveryEvent(stack));
}

async function checkKept(before: DeployedStack, after: DeployedStack, records: readonly UploadRecord[]): Promise<void> {
  assert.notEqual(after.retentionDays, before.retentionDays);
  assert.deepEqual([after.webhookUrl, after.webhookSecret], [before.webhookUrl, before.webhookSecret]);
  const kept = records.map(({ userUpload }) => after.readRecord(String(userUpload)));
  assert.deepEqual(await Promise.all(kept), records);
}
