import { type ArgyleAnswer, argyleError } from './argyle-api.ts';

/** Why Argyle did not do what was asked, in words that may be logged and shown to whoever deploys. */
export type ArgyleRefusal = Error & {
  /** Whether asking again later may help. */
  readonly isPassing: boolean;
  readonly retryAfterSeconds: number;
};

/**
 * The error for an answer that is neither a success nor a 404.
 * @param credentialsId the name or ARN of the secret with the API key: the text names it when the key is refused
 */
export function argyleRefusal(answer: Exclude<ArgyleAnswer, { kind: 'ok' }>, credentialsId: string): ArgyleRefusal {
  const status = 'status' in answer ? answer.status : 404;
  const error = argyleError(status === undefined ? {} : { status });
  if (status === 401 || status === 403)
    error.message = `Argyle refused the API key (${status}): put a valid one, of the workspace and of the stage that the stack is for, into the secret ${credentialsId}.`;
  return Object.assign(error, {
    isPassing: answer.kind === 'unavailable',
    retryAfterSeconds: (answer.kind === 'unavailable' && answer.retryAfterSeconds) || 0,
  });
}

/** Whether an error is one of these. */
export function isArgyleRefusal(error: unknown): error is ArgyleRefusal {
  return error instanceof Error && 'isPassing' in error;
}
