import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import { cloudformationClient } from '../aws/clients.ts';
import { createAnswerStack, createIsRollingBack, type StackAnswer } from '../aws/cloudformation.ts';
import { subscriptionRuntime } from '../aws/subscription-runtime.ts';
import type { Telemetry } from '../aws/telemetry.ts';
import { LoggableError } from '../domain/loggable-error.ts';
import { physicalIdOf } from '../domain/subscription-registry.ts';
import { type ChangeDependencies, subscribe, unsubscribe } from './change-subscription.ts';

/** What the resource needs from outside; `workMs` bounds the work, the answer comes after it. */
export type SubscriptionDependencies = ChangeDependencies & {
  readonly answerStack: (responseUrl: string, answer: StackAnswer) => Promise<void>;
  readonly telemetry: Telemetry;
  readonly workMs: number;
};

/** Of the function's 150 s. Enough to outlive the lease of a holder that died; the answer takes 17 s at most. */
export const subscriptionWorkMs = 120_000;

// No URL and name are in it: its Delete finds nothing to do.
const neverMadeId = 'never-made';

/**
 * The subscription at Argyle as a resource of the stack. Answers CloudFormation itself, always and within its time;
 * what fails there is thrown, and Lambda tries the whole again, which does no harm.
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
  const before = 'PhysicalResourceId' in event ? event.PhysicalResourceId : undefined;
  let physicalId = before ?? neverMadeId;
  try {
    const whole = AbortSignal.timeout(dependencies.workMs);
    if (event.RequestType === 'Delete') {
      await unsubscribe(dependencies, physicalId, event.StackId, whole);
      return { Status: 'SUCCESS', PhysicalResourceId: physicalId };
    }
    const key = { url: String(event.ResourceProperties.url), name: String(event.ResourceProperties.name) };
    // A Create that fails from here on may have left something: its Delete shall look.
    const onBegin = () => {
      if (!before) physicalId = physicalIdOf(key);
    };
    await subscribe(dependencies, key, before, onBegin, whole);
    return { Status: 'SUCCESS', PhysicalResourceId: physicalIdOf(key) };
  } catch (error) {
    dependencies.telemetry.error('subscription_failed', error, { request: event.RequestType });
    return { Status: 'FAILED', Reason: reasonOf(error), PhysicalResourceId: physicalId };
  }
}

// These texts hold no payload, and AWS's name actions and resources; any other text may quote what it choked on.
function reasonOf(error: unknown): string {
  if (error instanceof LoggableError) return error.message;
  if (error instanceof Error && '$fault' in error) return error.message;
  const name = error instanceof Error ? error.name : typeof error;
  return `The subscription at Argyle was not changed (${name}): the log of the subscription's function says why.`;
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
