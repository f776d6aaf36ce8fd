import { setTimeout as wait } from 'node:timers/promises';
import { type ApiRequest, detail } from './api.ts';
import type { World } from './world.ts';

/** The one key of the fake, for HTTP Basic. */
export type ApiKey = { readonly apiKeyId: string; readonly apiKeySecret: string };

/** An answer on the wire: JSON, or `text` as it is, or none and the connection closed. */
export type WireAnswer = {
  readonly status: number | 'disconnect';
  readonly headers?: Readonly<Record<string, string | number>>;
  readonly body?: unknown;
  readonly text?: string;
};

/** Answers a request under /v2 as Argyle would, the faults in force included. `authorization`: the header. */
export async function answerApi(
  world: World,
  key: ApiKey,
  request: ApiRequest,
  authorization: string | undefined,
): Promise<WireAnswer> {
  const isTooMany = world.requests.begin() > (world.faults.get().rateLimit?.perSecond ?? Number.POSITIVE_INFINITY);
  const answer = (): WireAnswer => {
    if (!isAllowed(authorization, key)) return { status: 401, body: detail('Invalid credentials.') };
    return isTooMany ? tooMany(world) : world.api(request);
  };
  const failure = world.faults.failureOf(request.method, request.url.pathname + request.url.search);
  const carriedOut = failure?.isCarriedOut ? answer() : undefined;
  if (failure?.slowMs) await wait(failure.slowMs);
  if (failure?.status === undefined) return carriedOut ?? answer();
  const { status, retryAfter, body } = failure;
  return {
    status,
    ...retryHeader(retryAfter),
    ...(body === undefined ? { body: detail('A fault.') } : { text: body }),
  };
}

function tooMany(world: World): WireAnswer {
  const retryAfter = world.faults.get().rateLimit?.retryAfter;
  return { status: 429, body: detail('Too many requests.'), ...retryHeader(retryAfter) };
}

function retryHeader(retryAfter: number | string | undefined): Pick<WireAnswer, 'headers'> {
  return retryAfter === undefined ? {} : { headers: { 'retry-after': retryAfter } };
}

function isAllowed(authorization: string | undefined, { apiKeyId, apiKeySecret }: ApiKey): boolean {
  return authorization === `Basic ${Buffer.from(`${apiKeyId}:${apiKeySecret}`).toString('base64')}`;
}
