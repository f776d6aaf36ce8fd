import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import { limitCreations } from '../argyle/webhooks.ts';
import { cloudformationClient } from '../aws/clients.ts';
import { createAnswerStack, createIsRollingBack, maxAnswerMs, type StackAnswer } from '../aws/cloudformation.ts';
import { subscriptionRuntime } from '../aws/subscription-runtime.ts';
import type { Telemetry } from '../aws/telemetry.ts';
import { LoggableError } from '../domain/loggable-error.ts';
import { type SubscriptionKey, subscriptionTimeoutMs } from '../domain/subscription.ts';
import { keyOf, physicalIdOf } from '../domain/subscription-registry.ts';
import { type ChangeDependencies, resubscribe, subscribe, unsubscribe } from './change-subscription.ts';

export type SubscriptionDependencies = ChangeDependencies & {
  readonly answerStack: (responseUrl: string, answer: StackAnswer) => Promise<void>;
  readonly telemetry: Telemetry;
  /** The time limit of a change. The answer to CloudFormation is sent after it. */
  readonly workMs: number;
};

/**
 * Time budget out of the function's time-out. The rest is for the answer, for freeing the lease (6.5 s at most), and a margin.
 * The budget is enough to wait until the lease of a crashed owner expires, and then to do the work.
 */
export const subscriptionWorkMs = subscriptionTimeoutMs - maxAnswerMs - 13_000;

/** An operator's request to re-create the stack's subscriptions. The URL and name matter only if none is registered. */
export type ResubscribeRequest = { readonly resubscribe: SubscriptionKey };

/** The result of a ResubscribeRequest. `changes`: how many subscriptions were created or removed. */
export type ResubscribeAnswer =
  | { readonly status: 'subscribed'; readonly changes: number }
  | { readonly status: 'failed'; readonly reason: string };

// Contains no URL and no name, so the Delete of a resource that was never created does nothing.
const neverCreatedId = 'never-made';

/**
 * Creates the handler of the custom resource that manages the subscription at Argyle. It answers CloudFormation before the
 * function's time-out, whether the change succeeds or fails. When the answer cannot be sent, it throws. Lambda then retries the
 * request, which is idempotent. An operator can invoke the function with a ResubscribeRequest; the result is then its answer.
 */
export function createSubscription(dependencies: SubscriptionDependencies) {
  // called by CloudFormation (Create, Update or Delete) or by an operator
  return async (
    event: CloudFormationCustomResourceEvent | ResubscribeRequest,
  ): Promise<ResubscribeAnswer | undefined> => {
    const limited = { ...dependencies, webhooks: limitCreations(dependencies.webhooks) };
    if ('resubscribe' in event) return recreate(limited, event.resubscribe);
    const { StackId, RequestId, LogicalResourceId } = event;
    const outcome = await change(limited, event);
    await dependencies.answerStack(event.ResponseURL, { StackId, RequestId, LogicalResourceId, ...outcome });
    return undefined;
  };
}

async function recreate(dependencies: SubscriptionDependencies, requested: unknown): Promise<ResubscribeAnswer> {
  try {
    const key = readKey(requested);
    const changes = await resubscribe(dependencies, key, AbortSignal.timeout(dependencies.workMs));
    return { status: 'subscribed', changes };
  } catch (error) {
    dependencies.telemetry.error('subscription_failed', error, { request: 'Resubscribe' });
    return { status: 'failed', reason: reasonOf(error) };
  }
}

function readKey(requested: unknown): SubscriptionKey {
  const { url, name } = (requested ?? {}) as Readonly<Record<string, unknown>>;
  const key = typeof url === 'string' && typeof name === 'string' ? keyOf(physicalIdOf({ url, name })) : undefined;
  if (key) return key;
  throw new LoggableError('The request has no URL and name of a subscription.');
}

type Outcome = Pick<StackAnswer, 'Status' | 'Reason' | 'PhysicalResourceId'>;

async function change(
  dependencies: SubscriptionDependencies,
  event: CloudFormationCustomResourceEvent,
): Promise<Outcome> {
  const previousId = 'PhysicalResourceId' in event ? event.PhysicalResourceId : undefined;
  let physicalId = previousId ?? neverCreatedId;
  try {
    const deadline = AbortSignal.timeout(dependencies.workMs);
    if (event.RequestType === 'Delete') {
      await unsubscribe(dependencies, physicalId, event.StackId, deadline);
      return { Status: 'SUCCESS', PhysicalResourceId: physicalId };
    }
    const key = { url: String(event.ResourceProperties.url), name: String(event.ResourceProperties.name) };
    // A Create that fails after this point may have subscribed, so the Delete that follows must check Argyle.
    const onChange = () => {
      if (!previousId) physicalId = physicalIdOf(key);
    };
    await subscribe(dependencies, { key, previousId, stackId: event.StackId, onChange }, deadline);
    return { Status: 'SUCCESS', PhysicalResourceId: physicalIdOf(key) };
  } catch (error) {
    dependencies.telemetry.error('subscription_failed', error, { request: event.RequestType });
    return { Status: 'FAILED', Reason: reasonOf(error), PhysicalResourceId: physicalId };
  }
}

// Messages of our loggable errors and of AWS contain no payload. Any other message may contain the input that caused it.
function reasonOf(error: unknown): string {
  if (error instanceof LoggableError || (error instanceof Error && '$fault' in error)) return error.message;
  const name = error instanceof Error ? error.name : typeof error;
  return `The change of the subscription at Argyle failed (${name}): see the log of the subscription function.`;
}

// once per cold start
function runtimeDependencies(): SubscriptionDependencies {
  const shared = subscriptionRuntime();
  return {
    ...shared,
    isRollingBack: createIsRollingBack(cloudformationClient()),
    answerStack: createAnswerStack(shared.sleep),
    workMs: subscriptionWorkMs,
  };
}

export const handler = createSubscription(runtimeDependencies());
