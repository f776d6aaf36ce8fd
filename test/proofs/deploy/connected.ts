import assert from 'node:assert/strict';
import { CreateSecretCommand, PutSecretValueCommand, ResourceExistsException } from '@aws-sdk/client-secrets-manager';
import { eventTypes } from '../../../functions/domain/events.ts';
import { readTemplate } from '../../../tools/local/template.ts';
import type { Argyle } from '../../support/fakes/argyle-api.ts';
import {
  changesIn,
  checkEnriched,
  checkOthersAlone,
  checkReconciled,
  checkSubscribed,
  type LoggedArgyle,
  othersName,
} from './argyle-checks.ts';
import type { Context } from './cdk.ts';
import { checkEveryEvent } from './deliveries.ts';
import type { Assemblies, Deployments } from './deployments.ts';
import { refusedTypesIn, typesRefusedBy } from './refused-types.ts';
import { checkGone } from './stages.ts';
import type { Steps } from './steps.ts';
import { mended } from './workarounds.ts';

const credentialsName = 'argyle/api-key';

/** A sandbox with credentials for Argyle, whose place a fake takes. */
export function connectedContext({ url }: Argyle): Context {
  return { stage: 'sandbox', argyleCredentials: credentialsName, argyleApiUrl: url };
}

/** A stack with credentials, from a key that is refused to the end of its subscription. */
export async function runConnected(
  step: Steps['step'],
  deployments: Deployments,
  { connected, renamed }: Assemblies,
  argyle: LoggedArgyle,
): Promise<void> {
  await runRefused(step, deployments, connected, argyle);
  const { deploy, destroy } = deployments;
  await keepKey(deployments, argyle.credentials);
  const stack = await step('cdk deploy, with credentials', async () => mended(await deploy(connected)));
  await step('Argyle has the subscription: URL, events, the secret of the stack', () => checkSubscribed(stack, argyle));
  await step(`${eventTypes.length} events: signed, accepted, each in its record`, () => checkEveryEvent(stack));
  await step('the document of a signed webhook is in its record', () => checkEnriched(stack, argyle));
  await step('reconciliation finds what no webhook told of', () => checkReconciled(stack, argyle));

  const before = argyle.log.length;
  const changed = await step('cdk deploy again, with another name', () => deploy(renamed));
  await step('Argyle has the new subscription, and had it before the old one went', async () => {
    assert.deepEqual(changesIn(argyle.log.slice(before)), ['POST', 'DELETE']);
    await checkSubscribed(changed, argyle);
  });
  await step('cdk destroy', () => destroy(renamed));
  await step('no queue and no table is left, and the URL is dead', () => checkGone(changed));
  await step("Argyle has somebody else's subscription alone", () => checkOthersAlone(argyle));
}

// What MiniStack and what Argyle refuse.
async function runRefused(
  step: Steps['step'],
  deployments: Deployments,
  connected: string,
  argyle: Argyle,
): Promise<void> {
  const { deploy, deployAsIs } = deployments;
  const refused = refusedTypesIn(readTemplate(connected));
  await step(`cdk deploy -c argyleCredentials=${credentialsName}: refused for ${refused} only`, async () => {
    const refusal = await deployAsIs(connectedContext(argyle)).catch((error) => error);
    assert.deepEqual(typesRefusedBy(refusal), refused, refusal.message ?? 'It was not refused.');
  });
  await argyle.subscribe('https://example.com/webhooks', { name: othersName });
  await keepKey(deployments, { ...argyle.credentials, apiKeySecret: 'wrong' });
  await step('cdk deploy with a key that Argyle refuses: fails, and says which secret to put right', async () => {
    await assert.rejects(deploy(connected), new RegExp(`refused the API key .*into the secret ${credentialsName}`));
    await checkOthersAlone(argyle);
  });
}

async function keepKey({ clients: { secretsManager } }: Deployments, key: Argyle['credentials']): Promise<void> {
  const SecretString = JSON.stringify(key);
  try {
    await secretsManager.send(new CreateSecretCommand({ Name: credentialsName, SecretString }));
  } catch (error) {
    if (!(error instanceof ResourceExistsException)) throw error;
    await secretsManager.send(new PutSecretValueCommand({ SecretId: credentialsName, SecretString }));
  }
}
