import { type ArgyleAnswer, type ArgylePage, type AskArgyle, argyleError, listError, readPage } from './argyle-api.ts';
import { type Pace, retryWhileUnavailable, type Sleep } from './retry.ts';

/**
 * Argyle's user uploads. Both reads are rate-limited, and retried while Argyle is unavailable. They throw an OutOfTimeError
 * when a delay would last beyond `endsMs`, and an ArgyleError when Argyle refuses or stays unavailable.
 */
export type UserUploads = {
  /** Reads the page at a full URL that Argyle returned, or the first one. */
  readonly readPage: (url: string | undefined, endsMs: number) => Promise<ArgylePage>;
  /** Whether Argyle still has a document: false for a 404. */
  readonly has: (userUpload: string, endsMs: number) => Promise<boolean>;
  /** The number of requests so far. */
  readonly requests: () => number;
};

export type UserUploadsDependencies = {
  readonly askArgyle: AskArgyle;
  readonly pace: Pace;
  readonly sleep: Sleep;
  readonly nowMs: () => number;
  /** The name of the secret with the API key, for error messages. */
  readonly secretName: string;
};

// The delays double from 1 s to at most 1 min: about two minutes in total.
const backoff = { firstDelayMs: 1_000, maxDelayMs: 60_000, maxTries: 8 };

// The page size is Argyle's maximum.
const firstPage = '/user-uploads?limit=200';

export function createUserUploads(dependencies: UserUploadsDependencies): UserUploads {
  const { askArgyle, pace, sleep, nowMs, secretName } = dependencies;
  let requests = 0;
  const ask = (path: string, endsMs: number): Promise<ArgyleAnswer> => {
    const request = async () => {
      await pace();
      requests += 1;
      const answer = await askArgyle('GET', path, {});
      if (answer.kind === 'unavailable') throw argyleError(answer);
      return answer;
    };
    return retryWhileUnavailable(request, { ...backoff, sleep, remainingMs: () => endsMs - nowMs() });
  };
  return {
    readPage: async (url = firstPage, endsMs) => {
      const answer = await ask(url, endsMs);
      if (answer.kind !== 'ok') throw argyleError(answer, secretName);
      const page = readPage(answer.body);
      if (page.next === url) throw listError("A page of Argyle's list names itself as the next one.");
      return page;
    },
    has: async (userUpload, endsMs) => {
      const answer = await ask(`/user-uploads/${userUpload}`, endsMs);
      if (answer.kind === 'not_found') return false;
      if (answer.kind !== 'ok') throw argyleError(answer, secretName);
      return true;
    },
    requests: () => requests,
  };
}
