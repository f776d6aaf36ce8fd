import { type ArgyleAnswer, type ArgylePage, type AskArgyle, argyleError, ListError, readPage } from './argyle-api.ts';
import type { Pace, Wait } from './pace.ts';

/** Argyle's user uploads, read at a pace and with patience. */
export type UserUploads = {
  /**
   * The page of 200 at a full URL that Argyle gave, or the first. Throws a ListError when Argyle will not give it, and
   * another error when it could not be asked: an OutOfTimeError if waiting for it would have lasted beyond `endsMs`.
   */
  readonly readPage: (url: string | undefined, endsMs: number) => Promise<ArgylePage>;
  /** Whether Argyle still has a document: false is its 404. Throws as `readPage` does when Argyle says neither. */
  readonly has: (userUpload: string, endsMs: number) => Promise<boolean>;
  /** How many requests were made so far. */
  readonly requests: () => number;
};

/** What reading needs; `secretName` is for the text of errors. */
export type UserUploadsDependencies = {
  readonly askArgyle: AskArgyle;
  readonly pace: Pace;
  readonly wait: Wait;
  readonly nowMs: () => number;
  readonly secretName: string;
};

/** That Argyle is busy for longer than there is time to wait. */
export class OutOfTimeError extends Error {}

// 1 s doubling to 1 min: two minutes in all.
const mostTries = 8;
const longestOwnDelaySeconds = 60;

/** Gives the way to the user uploads. 429, 5xx and no answer are tried again after Retry-After, or 1 s doubling. */
export function createUserUploads({ secretName, ...dependencies }: UserUploadsDependencies): UserUploads {
  let requests = 0;
  const ask = (path: string, endsMs: number) => {
    return askPatiently(dependencies, path, endsMs, () => {
      requests += 1;
    });
  };
  return {
    readPage: async (url = '/user-uploads?limit=200', endsMs) => {
      const answer = await ask(url, endsMs);
      if (answer.kind !== 'ok') throw refusal(answer, secretName);
      const page = readPage(answer.body);
      if (page.next === url) throw new ListError("A page of Argyle's list names itself as the next one.");
      return page;
    },
    has: async (userUpload, endsMs) => {
      const answer = await ask(`/user-uploads/${userUpload}`, endsMs);
      if (answer.kind === 'ok') return true;
      if (answer.kind === 'not_found') return false;
      throw refusal(answer, secretName);
    },
    requests: () => requests,
  };
}

async function askPatiently(
  { askArgyle, pace, wait, nowMs }: Omit<UserUploadsDependencies, 'secretName'>,
  path: string,
  endsMs: number,
  onRequest: () => void,
): Promise<Exclude<ArgyleAnswer, { kind: 'unavailable' }>> {
  for (let tries = 1; ; tries += 1) {
    await pace();
    onRequest();
    const answer = await askArgyle('GET', path, {});
    if (answer.kind !== 'unavailable') return answer;
    const cause = argyleError(answer);
    if (tries === mostTries) throw cause;
    const delayMs = 1_000 * (answer.retryAfterSeconds ?? Math.min(longestOwnDelaySeconds, 2 ** (tries - 1)));
    if (nowMs() + delayMs > endsMs) throw new OutOfTimeError('There is no time left to wait for Argyle.', { cause });
    await wait(delayMs);
  }
}

function refusal(answer: Exclude<ArgyleAnswer, { kind: 'ok' | 'unavailable' }>, secretName: string): ListError {
  const status = answer.kind === 'not_found' ? 404 : answer.status;
  const text =
    status === 401 || status === 403
      ? `Argyle refused the API key with ${status}: put a valid key into the secret ${secretName}.`
      : `Argyle answered ${status} to a request for user uploads.`;
  return new ListError(text, { code: `http_${status}` });
}
