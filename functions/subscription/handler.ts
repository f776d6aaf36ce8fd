import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import { cloudformationClient } from '../aws/clients.ts';
import { createAnswerStack, createIsRollingBack, maxAnswerMs, type StackAnswer } from '../aws/cloudformation.ts';
import { subscriptionRuntime } from '../aws/subscription-runtime.ts';
import type { Telemetry } from '../aws/telemetry.ts';
import { LoggableError } from '../domain/loggable-error.ts';
import { subscriptionTimeoutMs } from '../domain/subscription.ts';
import { physicalIdOf } from '../domain/subscription-registry.ts';
import { type ChangeDependencies, subscribe, unsubscribe } from './change-subscription.ts';

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

// Contains no URL and no name, so the Delete of a resource that was never created does nothing.
const neverCreatedId = 'never-made';

/**
 * Creates the handler of the custom resource that manages the subscription at Argyle. It answers CloudFormation before the
 * function's time-out, whether the change succeeds or fails. When the answer cannot be sent, it throws. Lambda then retries the
 * request, which is idempotent.
 */
export function createSubscription(dependencies: SubscriptionDependencies) {
  // called by CloudFormation: Create, Update or Delete
  return async (event: CloudFormationCustomResourceEvent): Promise<void> => {
    const { StackId, RequestId, LogicalResourceId } = event;
    const outcome = await change(dependencies, event);
    await dependencies.answerStack(event.ResponseURL, { StackId, RequestId, LogicalResourceId, ...outcome });
  };
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
    await subscribe(dependencies, key, previousId, onChange, deadline);
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
