import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import type { Report } from './report.ts';
import { type Target, UsageError } from './target.ts';

/**
 * Starts a reconciliation and does not wait for its end: the function's log shows what it finds. With `confirmRemovals`
 * it may apply up to this many removals, even if it would hold them for a confirmation.
 */
export async function startReconciliation(
  target: Target,
  report: Report,
  { confirmRemovals, yes }: { readonly confirmRemovals?: number; readonly yes?: boolean },
): Promise<void> {
  const FunctionName = target.reconciliationFunctionName;
  if (!FunctionName)
    throw new UsageError(
      'This stack has no credentials for Argyle: state argyleCredentials in cdk.json and deploy it first.',
    );
  const consequences = `Up to ${confirmRemovals} records whose documents are missing from Argyle's list are marked as removed, and their document data is deleted.`;
  if (confirmRemovals !== undefined && !(await report.confirm(consequences, yes)))
    return report.result({ started: false }, 'Nothing was started.');
  const Payload = Buffer.from(JSON.stringify({ confirmRemovals }));
  const lambda = new LambdaClient(target.clientOptions('LAMBDA'));
  await lambda.send(new InvokeCommand({ FunctionName, InvocationType: 'Event', Payload }));
  report.result(
    { started: true },
    `Started. It corrects the records while it runs. To see what it finds, start ${target.command} tail before it.`,
  );
}
