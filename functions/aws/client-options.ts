/**
 * Options of every AWS client: no call hangs. One try takes 3 s at most and there are two, so that an answer of
 * ours stays within its time even when AWS does not answer. Endpoints and region come from the environment.
 */
export const clientOptions = {
  maxAttempts: 2,
  requestHandler: { connectionTimeout: 1_000, requestTimeout: 2_000, throwOnRequestTimeout: true },
} as const;
