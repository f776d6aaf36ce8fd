import assert from 'node:assert/strict';
import { DescribeTableCommand, ResourceNotFoundException } from '@aws-sdk/client-dynamodb';
import { eventTypes } from '../../../functions/domain/events.ts';
import { readTemplate } from '../../../tools/local/template.ts';
import { newUpload, webhookBody } from '../../support/fakes/argyle-sender.ts';
import {
  checkEveryEvent,
  checkOneUpload,
  checkPoison,
  checkQuarantine,
  checkUnsigned,
  type UploadRecord,
} from './deliveries.ts';
import { type DeployedStack, queueUrlsOf } from './deployed-stack.ts';
import type { Assemblies, Deployments } from './deployments.ts';
import type { Patch } from './patched-assembly.ts';
import { checkQueues, checkTable } from './provisioned.ts';
import { refusedTypesIn, refusesMetricMath, typesRefusedBy } from './refused-types.ts';
import type { Steps } from './steps.ts';
import { mended, unneeded, workarounds } from './workarounds.ts';

type Step = Steps['step'];

/** A deployment without any work-around: is the emulator still wrong where it was? */
export async function runUntouched(step: Step, deployments: Deployments, assemblies: Assemblies): Promise<void> {
  const { deployAsIs, deployKnownTypes, deployUntouched, destroy } = deployments;
  for (const stage of ['sandbox', 'production'] as const) {
    const refused = refusedTypesIn(readTemplate(assemblies[stage]));
    await step(`cdk deploy -c stage=${stage}: refused for ${refused} only`, async () => {
      const refusal = await deployAsIs({ stage }).catch((error) => error);
      assert.deepEqual(typesRefusedBy(refusal), refused, refusal.message ?? 'It was not refused.');
    });
  }
  await step('cdk deploy without these: refused for metric math', async () => {
    const refusal = await deployKnownTypes(assemblies.sandbox).catch((error) => error);
    assert.match(String(refusal.message), refusesMetricMath);
  });
  const untouched = await step('cdk deploy without either', () => deployUntouched(assemblies.sandbox));
  for (const { name, seen, wrong } of workarounds) console.log(`     work-around ${name} (${seen}): ${wrong}`);
  await step(`${workarounds.length} work-arounds are all still needed`, async () =>
    assert.deepEqual(await unneeded(untouched), [], 'MiniStack is right now: take these out of workarounds.ts'),
  );
  await step('cdk destroy', () => destroy(assemblies.sandbox));
  await step('no queue and no table is left, and the URL is dead', () => checkGone(untouched));
}

/** A sandbox from its first deployment to its end. */
export async function runSandbox(step: Step, { deploy, destroy }: Deployments, assemblies: Assemblies): Promise<void> {
  const sandbox = await step('cdk deploy, sandbox', async () => mended(await deploy(assemblies.sandbox)));
  const records = await lookAt(step, sandbox);
  await step('one record from all events of an upload, found by every index', () => checkOneUpload(sandbox));
  await step('401 without a right signature, and no record', () => checkUnsigned(sandbox));
  await step('signed but not understood: kept byte for byte', () => checkQuarantine(sandbox));
  await step('poison in every queue: in its dead-letter queue, its neighbours applied', () => checkPoison(sandbox));

  const changed = await step('cdk deploy again, with a change', () => deploy(assemblies.changed));
  await step('it has changed, and records, URL and secret have not', () => checkKept(sandbox, changed, records));
  await lookAt(step, changed);

  // The control of all of the above: MiniStack does hold the functions to their roles.
  const powerless = await step('cdk deploy with roles that allow nothing', () => deploy(assemblies.changed, denyAll));
  await step('then a signed webhook is answered 503', () => checkPowerless(powerless));
  await step('cdk destroy', () => destroy(assemblies.changed));
  await step('no queue and no table is left, and the URL is dead', () => checkGone(changed));
}

/** A production deployment, which is there to stay. */
export async function runProduction(
  step: Step,
  { deploy, destroy }: Deployments,
  assemblies: Assemblies,
): Promise<void> {
  const production = await step('cdk deploy, production', async () => mended(await deploy(assemblies.production)));
  await lookAt(step, production);
  await step('cdk destroy is refused, and the stack goes on', async () => {
    await assert.rejects(destroy(assemblies.production), /TerminationProtection/);
    await checkEveryEvent(production);
  });
}

async function lookAt(step: Step, stack: DeployedStack): Promise<readonly UploadRecord[]> {
  await step('queues and table are what the template says', async () => {
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

async function checkPowerless({ post }: DeployedStack): Promise<void> {
  const answers = await Promise.all(eventTypes.map((event) => post(webhookBody(event, newUpload()))));
  for (const { code, body } of answers) assert.deepEqual([code, body], [503, { status: 'unavailable' }]);
}

/** Nothing of a stack is left that holds data, and its URL is dead. */
export async function checkGone({ sqs, dynamodb, tableName, template, post }: DeployedStack): Promise<void> {
  assert.deepEqual([...(await queueUrlsOf(sqs, template.stackName)).values()], []);
  await assert.rejects(dynamodb.send(new DescribeTableCommand({ TableName: tableName })), ResourceNotFoundException);
  assert.equal((await post('{}')).code, 404);
}

const denyAll: Patch = (template) => {
  const PolicyDocument = { Version: '2012-10-17', Statement: [{ Effect: 'Deny', Action: '*', Resource: '*' }] };
  const powerless = Object.entries(template.Resources)
    .filter(([, { Type }]) => Type === 'AWS::IAM::Policy')
    .map(([id, policy]) => [id, { ...policy, Properties: { ...policy.Properties, PolicyDocument } }]);
  return { ...template, Resources: { ...template.Resources, ...Object.fromEntries(powerless) } };
};
