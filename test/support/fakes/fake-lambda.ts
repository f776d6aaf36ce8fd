import type { Lambda } from '../../../tools/local/lambda.ts';

/** A function of the local pipeline without processes. */
export function fakeLambda(name: string, invoke: Lambda['invoke']): Lambda {
  return { name, invoke, counts: () => ({ Invocations: 0, Errors: 0 }), pids: () => [], stop: () => undefined };
}
