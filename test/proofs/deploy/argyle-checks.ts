import assert from 'node:assert/strict';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { eventTypes } from '../../../functions/domain/events.ts';
import { outputNames } from '../../../infra/output-names.ts';
import { eventsOfLife } from '../../../tools/fake-argyle/user-upload.ts';
import type { UploadIds } from '../../../tools/fake-argyle/webhook-request.ts';
import type { Argyle } from '../../support/fakes/argyle-api.ts';
import { webhookBody } from '../../support/fakes/argyle-sender.ts';
import { eventually, type UploadRecord } from './deliveries.ts';
import type { DeployedStack } from './deployed-stack.ts';

type Subscription = Readonly<Record<'name' | 'url' | 'secret', string>> & { readonly events: readonly string[] };

/** The fake Argyle, with the lines that it has logged so far. */
export type LoggedArgyle = Argyle & { readonly log: readonly string[] };

/** The name of a subscription that is at Argyle all the time and none of the stack's business. */
export const othersName = "somebody else's";

/** Nothing at Argyle is the stack's. */
export async function checkOthersAlone(argyle: Argyle): Promise<void> {
  assert.deepEqual(
    (await subscriptions(argyle)).map(({ name }) => name),
    [othersName],
  );
}

/** Argyle has one subscription of the stack: its URL and name, all events, its secret. */
export async function checkSubscribed(
  { webhookUrl, webhookSecret, outputs }: DeployedStack,
  argyle: Argyle,
): Promise<void> {
  const own = (await subscriptions(argyle)).filter(({ name }) => name !== othersName);
  const found = own.map(({ name, url, secret, events }) => ({ name, url, secret, events: [...events].sort() }));
  const name = outputs.SubscriptionName;
  assert.deepEqual(found, [{ name, url: webhookUrl, secret: webhookSecret, events: [...eventTypes].sort() }]);
}

/** A signed webhook is followed by what Argyle knows of the document. */
export async function checkEnriched(stack: DeployedStack, { control }: Argyle): Promise<void> {
  const ids = await control.uploadDocument({ documentType: 'W-2', fileName: 'my w2.pdf' });
  await control.runOcr(ids.userUpload, { result: 'failure', error: 'The page is blurred.' });
  const answer = await stack.post(webhookBody(eventsOfLife.failure, ids));
  assert.deepEqual([answer.code, answer.body], [200, { status: 'accepted' }]);
  const { document } = await recordWithDocument(stack, ids);
  const { type, fileName, ocrErrors } = document as UploadRecord;
  assert.deepEqual([type, fileName, ocrErrors], ['W-2', 'my w2.pdf', ['The page is blurred.']]);
}

/** Reconciliation, called as its schedule does, brings a document that no webhook told of; comes after checkEnriched. */
export async function checkReconciled(stack: DeployedStack, { control }: Argyle): Promise<void> {
  const ids = await control.uploadDocument();
  const FunctionName = stack.outputs[outputNames.reconciliationFunctionName];
  const { Payload, FunctionError } = await stack.lambda.send(new InvokeCommand({ FunctionName, Payload: '{}' }));
  const answer = Buffer.from(Payload ?? []).toString();
  assert.equal(FunctionError, undefined, answer);
  const { status, counts } = JSON.parse(answer);
  // The other listed document came by its webhook of OCR alone: that it was added is news.
  assert.deepEqual([status, counts.checked, counts.missing, counts.behind], ['done', 2, 1, 1], answer);
  const record = await recordWithDocument(stack, ids);
  assert.deepEqual([record.account, record.user], [ids.account, undefined]);
}

function recordWithDocument(stack: DeployedStack, { userUpload }: UploadIds): Promise<UploadRecord> {
  return eventually(`the document of ${userUpload}`, async () => {
    const record = await stack.readRecord(userUpload);
    return record?.document ? record : undefined;
  });
}

/** What Argyle was asked to change about its subscriptions, and did, in order, by the method of the request. */
export function changesIn(log: readonly string[]): readonly string[] {
  return log.flatMap((line) => /^(POST|DELETE) \/v2\/webhooks\S* 2\d\d$/.exec(line)?.[1] ?? []);
}

async function subscriptions({ ask }: Argyle): Promise<readonly Subscription[]> {
  return (await ask('GET', '/webhooks?limit=200')).body.results as Subscription[];
}
