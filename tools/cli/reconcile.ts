import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { confirm } from './confirm.ts';
import type { Report } from './report.ts';
import { type Target, UsageError } from './target.ts';

/** What `reconcile` is told; `confirmRemovals`: the most records that may be removed although they would be held. */
export type ReconcileOptions = { readonly confirmRemovals: number | undefined; readonly isSure: boolean };

/** Starts a comparison of the records with Argyle's list, which goes on by itself; its log says what it found. */
export async function startReconciliation(
  target: Target,
  { confirmRemovals, isSure }: ReconcileOptions,
  report: Report,
): Promise<void> {
  const FunctionName = target.reconciliationFunctionName;
  if (!FunctionName)
    throw new UsageError('This stack has no credentials for Argyle: deploy it with -c argyleCredentials=NAME first.');
  const what = `Up to ${confirmRemovals} records whose documents Argyle lists no more are removed, their document data erased.`;
  if (confirmRemovals !== undefined && !(await confirm(what, isSure)))
    return report.result({ started: false }, 'Nothing was started.');
  const payload = confirmRemovals === undefined ? {} : { confirmRemovals };
  const lambda = new LambdaClient(target.clientOptions('LAMBDA'));
  await lambda.send(
    new InvokeCommand({ FunctionName, InvocationType: 'Event', Payload: Buffer.from(JSON.stringify(payload)) }),
  );
  report.result(
    { started: true },
    'Started. It puts the records right as it goes; npx uploads tail, begun before this, shows what it finds.',
  );
}
