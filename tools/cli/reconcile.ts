import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { type Report, tableOf } from './report.ts';
import { type Target, UsageError } from './target.ts';

/** The answer of the reconciliation function. `busy`: another invocation is running, and this one has done nothing. */
type ReconcileAnswer = {
  readonly status: 'busy' | 'done' | 'continues';
  readonly counts?: Readonly<Record<string, number>>;
};

// Lambda ends an invocation after 15 minutes.
const answerTimeoutMs = 16 * 60_000;

/**
 * Starts a reconciliation and prints its answer, which takes up to 15 minutes. With `confirmRemovals` it may apply up to this many
 * removals, even if it would hold them for a confirmation. Returns false if another one was running, so that nothing was confirmed.
 */
export async function startReconciliation(
  target: Target,
  report: Report,
  { confirmRemovals, yes }: { readonly confirmRemovals?: number; readonly yes?: boolean },
): Promise<boolean> {
  const FunctionName = target.reconciliationFunctionName;
  if (!FunctionName)
    throw new UsageError(
      'This stack has no credentials for Argyle: state argyleCredentials in cdk.json and deploy it first.',
    );
  const consequences = `Up to ${confirmRemovals} records whose documents are missing from Argyle's list are marked as removed, and their document data is deleted.`;
  if (confirmRemovals !== undefined && !(await report.confirm(consequences, yes))) {
    report.result({ started: false }, 'Nothing was started.');
    return true;
  }
  report.remark(`Waiting for the result, for up to 15 minutes. ${goesOn(target)}`);
  const answer = await invoke(target, FunctionName, { confirmRemovals });
  const isBusy = answer.status === 'busy';
  report.result({ started: !isBusy, ...answer }, isBusy ? busyText(confirmRemovals) : resultText(target, answer));
  return !(isBusy && confirmRemovals !== undefined);
}

async function invoke(target: Target, FunctionName: string, payload: object): Promise<ReconcileAnswer> {
  // One attempt: a second one could start another run.
  const options = { maxAttempts: 1, requestHandler: { socketTimeout: answerTimeoutMs } };
  const lambda = new LambdaClient({ ...target.clientOptions('LAMBDA'), ...options });
  const Payload = Buffer.from(JSON.stringify(payload));
  const { FunctionError, Payload: bytes } = await lambda
    .send(new InvokeCommand({ FunctionName, InvocationType: 'RequestResponse', Payload }))
    .catch((cause: Error & { readonly $metadata?: { readonly httpStatusCode?: number } }) => {
      if (cause.$metadata?.httpStatusCode) throw cause;
      throw new Error(`The connection ended before the result: ${cause.message}. ${goesOn(target)}`, { cause });
    });
  const answer = JSON.parse(Buffer.from(bytes ?? '{}').toString());
  if (FunctionError) throw new Error(`The reconciliation failed: ${answer.errorMessage ?? FunctionError}`);
  return answer;
}

function goesOn({ command }: Target): string {
  return `A reconciliation that has started continues without this command, and ${command} tail shows what it finds.`;
}

function busyText(confirmRemovals: number | undefined): string {
  if (confirmRemovals === undefined) return 'A reconciliation is already running. It was not started again.';
  return 'A reconciliation is already running, so no removal was confirmed. Repeat this command when it has ended.';
}

function resultText(target: Target, { status, counts = {} }: ReconcileAnswer): string {
  const rows = Object.entries(counts).map(([result, count]) => ({ result, count }));
  const { held = 0 } = counts;
  return [
    status === 'done' ? 'Done.' : `Not done yet. ${goesOn(target)}`,
    tableOf({ result: 'result', count: 'count' }, rows),
    ...(held > 0 ? [`${held} removals are held for a confirmation: see removals-held in docs/runbook.md.`] : []),
  ].join('\n');
}
