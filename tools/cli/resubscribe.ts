import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import type { Report } from './report.ts';
import { type Target, UsageError } from './target.ts';

type Answer =
  | { readonly status: 'subscribed'; readonly changes: number }
  | { readonly status: 'failed'; readonly reason: string };

const consequences =
  "The stack's subscription at Argyle is created again if it is missing, and replaced if it is signed with an unknown secret or " +
  'lists other events. This happens in the workspace of the stored API key. Nothing can prove that it is the right workspace, ' +
  "because the key of another workspace sees no subscription of ours either: look the key up in Argyle's console first. A new " +
  'key is used within five minutes. A subscription in another workspace is not deleted.';

/**
 * Re-creates the stack's subscription at Argyle and waits for the end, at most two and a half minutes. It changes nothing if the
 * subscription is as it must be. Throws when it fails.
 */
export async function resubscribe(target: Target, report: Report, { yes }: { readonly yes?: boolean }): Promise<void> {
  const { subscriptionFunctionName, subscriptionName: name, webhookUrl: url } = target;
  if (!subscriptionFunctionName)
    throw new UsageError(
      'This stack has no credentials for Argyle: state argyleCredentials in cdk.json and deploy it first.',
    );
  if (!(await report.confirm(consequences, yes))) return report.result({ subscribed: false }, 'Nothing was changed.');
  const answer = await invoke(target, subscriptionFunctionName, { resubscribe: { url, name } });
  if (answer.status === 'failed') throw new Error(answer.reason);
  const { changes } = answer;
  report.result(
    { subscribed: true, changes },
    changes === 0
      ? 'The subscription exists and is signed with the secret of the stack. Nothing was changed.'
      : `Subscribed. Subscriptions created or removed: ${changes}. Run ${target.command} reconcile to find lost events.`,
  );
}

async function invoke(target: Target, FunctionName: string, request: object): Promise<Answer> {
  const lambda = new LambdaClient(target.clientOptions('LAMBDA'));
  const Payload = Buffer.from(JSON.stringify(request));
  const { FunctionError, Payload: result } = await lambda.send(new InvokeCommand({ FunctionName, Payload }));
  if (FunctionError || !result)
    throw new Error(`The subscription function failed: ${target.command} tail shows its log. Run this command again.`);
  return JSON.parse(Buffer.from(result).toString());
}
