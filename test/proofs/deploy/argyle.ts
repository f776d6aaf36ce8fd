import assert from 'node:assert/strict';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { CreateSecretCommand, PutSecretValueCommand, ResourceExistsException } from '@aws-sdk/client-secrets-manager';
import { eventTypes } from '../../../functions/domain/events.ts';
import { outputNames } from '../../../infra/output-names.ts';
import { changeEvents } from '../../../tools/fake-argyle/user-upload.ts';
import { withoutStageSettings } from '../../../tools/local/synthesize.ts';
import type { Argyle } from '../../support/fakes/argyle-api.ts';
import { webhookBody } from '../../support/fakes/argyle-sender.ts';
import { checkEveryEvent, eventually, expectAnswer, type UploadRecord } from './delivery-checks.ts';
import type { DeployedStack } from './deployed-stack.ts';
import type { Assemblies, Context, Deployments } from './deployments.ts';
import { checkGone } from './resource-checks.ts';
import { checkRefusedTypes } from './stages.ts';
import { step } from './steps.ts';

/** The fake Argyle, with the lines that it has logged so far. */
export type LoggedArgyle = Argyle & { readonly log: readonly string[] };

type Subscription = Readonly<Record<'name' | 'url' | 'secret', string>> & { readonly events: readonly string[] };

const credentialsName = 'argyle/api-key';

// A subscription that the stack does not own and must never touch.
const foreignName = "somebody else's";

/** Returns the context of a stage with credentials for the fake Argyle. */
export function connectedContext({ url }: Argyle, stage = 'sandbox'): Context {
  return { ...withoutStageSettings, stage, argyleCredentials: credentialsName, argyleApiUrl: url };
}

/** Runs a stack with credentials, from a key that Argyle refuses to the deletion of its subscription. */
export async function runConnected(
  deployments: Deployments,
  { connected, renamed }: Assemblies,
  argyle: LoggedArgyle,
): Promise<void> {
  const { deploy, deployNew, destroy } = deployments;
  await checkRefusedTypes(deployments, connected, connectedContext(argyle));
  await argyle.subscribe('https://example.com/webhooks', { name: foreignName });
  await storeKey(deployments, { ...argyle.credentials, apiKeySecret: 'wrong' });
  await step('cdk deploy with a key that Argyle refuses: fails, and names the secret to correct', async () => {
    await assert.rejects(deploy(connected), new RegExp(`refused the API key .*into the secret ${credentialsName}`));
    await checkOnlyForeign(argyle);
  });

  await storeKey(deployments, argyle.credentials);
  const stack = await step('cdk deploy, with credentials', () => deployNew(connected));
  await step('Argyle has the subscription: URL, events, secret of the stack', () => checkSubscribed(stack, argyle));
  await step(`${eventTypes.length} events: signed, accepted, each in its record`, () => checkEveryEvent(stack));
  await step('the record of a signed webhook contains the document', () => checkEnriched(stack, argyle));
  await step('reconciliation finds a document without a webhook', () => checkReconciled(stack, argyle));

  const before = argyle.log.length;
  const changed = await step('cdk deploy again, with another name', () => deploy(renamed));
  await step('Argyle has the new subscription, created before the old one was deleted', async () => {
    assert.deepEqual(changesIn(argyle.log.slice(before)), ['POST', 'DELETE']);
    await checkSubscribed(changed, argyle);
  });
  await step('cdk destroy', () => destroy(renamed));
  await step('queues, table and URL are gone', () => checkGone(changed));
  await step("Argyle has only somebody else's subscription", () => checkOnlyForeign(argyle));
}

async function storeKey({ clients: { secretsManager } }: Deployments, key: Argyle['credentials']): Promise<void> {
  const SecretString = JSON.stringify(key);
  try {
    await secretsManager.send(new CreateSecretCommand({ Name: credentialsName, SecretString }));
  } catch (error) {
    if (!(error instanceof ResourceExistsException)) throw error;
    await secretsManager.send(new PutSecretValueCommand({ SecretId: credentialsName, SecretString }));
  }
}

async function checkOnlyForeign(argyle: Argyle): Promise<void> {
  const names = (await readSubscriptions(argyle)).map(({ name }) => name);
  assert.deepEqual(names, [foreignName]);
}

/** Checks that Argyle has exactly one subscription of the stack, with its URL, secret and events. */
export async function checkSubscribed(
  { webhookUrl, webhookSecret, outputs }: DeployedStack,
  argyle: Argyle,
): Promise<void> {
  const own = (await readSubscriptions(argyle)).filter(({ name }) => name !== foreignName);
  const found = own.map(({ name, url, secret, events }) => ({ name, url, secret, events: [...events].sort() }));
  const name = outputs.SubscriptionName;
  assert.deepEqual(found, [{ name, url: webhookUrl, secret: webhookSecret, events: [...eventTypes].sort() }]);
}

async function checkEnriched(stack: DeployedStack, { control }: Argyle): Promise<void> {
  const ids = await control.uploadDocument({ documentType: 'W-2', fileName: 'my w2.pdf' });
  await control.runOcr(ids.userUpload, { result: 'failure', error: 'The page is blurred.' });
  expectAnswer(await stack.post(webhookBody(changeEvents.failure, ids)), 200, 'accepted');
  const { type, fileName, ocrErrors } = (await recordWithDocument(stack, ids.userUpload)).document as UploadRecord;
  assert.deepEqual([type, fileName, ocrErrors], ['W-2', 'my w2.pdf', ['The page is blurred.']]);
}

// Invokes reconciliation as its schedule does, after checkEnriched.
async function checkReconciled(stack: DeployedStack, { control }: Argyle): Promise<void> {
  const { userUpload, account } = await control.uploadDocument();
  const FunctionName = stack.outputs[outputNames.reconciliationFunctionName];
  const { Payload, FunctionError } = await stack.lambda.send(new InvokeCommand({ FunctionName, Payload: '{}' }));
  const answer = Buffer.from(Payload ?? []).toString();
  assert.equal(FunctionError, undefined, answer);
  const { status, counts } = JSON.parse(answer);
  // The document of checkEnriched is behind: only the webhook of its OCR failure arrived, not that of its upload.
  assert.deepEqual([status, counts.checked, counts.missing, counts.behind], ['done', 2, 1, 1], answer);
  const record = await recordWithDocument(stack, userUpload);
  assert.deepEqual([record.account, record.user], [account, undefined]);
}

function recordWithDocument(stack: DeployedStack, userUpload: string): Promise<UploadRecord> {
  return eventually(`the document of ${userUpload}`, async () => {
    const record = await stack.readRecord(userUpload);
    return record?.document ? record : undefined;
  });
}

/** The methods of the successful requests that changed subscriptions, in order. */
export function changesIn(log: readonly string[]): readonly string[] {
  return log.flatMap((line) => /^(POST|DELETE) \/v2\/webhooks\S* 2\d\d$/.exec(line)?.[1] ?? []);
}

export async function readSubscriptions({ ask }: Argyle): Promise<readonly Subscription[]> {
  return (await ask('GET', '/webhooks?limit=200')).body.results as Subscription[];
}
