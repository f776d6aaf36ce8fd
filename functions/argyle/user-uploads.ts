import { type AskArgyle, argyleError, readPage } from './argyle-api.ts';
import { type ListPosition, positionAfter } from './list-pages.ts';
import { retryWhileUnavailable, type Sleep } from './retry.ts';

/**
 * Argyle's user uploads. Both reads are retried while Argyle is unavailable. They throw an OutOfTimeError when a delay would last
 * beyond `endsMs`, and an ArgyleError when Argyle refuses or stays unavailable.
 */
export type UserUploads = {
  /** Reads the page at a position, and returns the position after it. Throws an ArgyleError for an endless list. */
  readonly readPage: (
    position: ListPosition,
    endsMs: number,
  ) => Promise<{ readonly results: readonly unknown[]; readonly position: ListPosition }>;
  /** Whether Argyle still has a document: false for a 404. */
  readonly has: (userUpload: string, endsMs: number) => Promise<boolean>;
};

export type UserUploadsDependencies = {
  readonly askArgyle: AskArgyle;
  readonly sleep: Sleep;
  readonly nowMs: () => number;
  /** The name of the secret with the API key, for error messages. */
  readonly secretName: string;
};

/** How long reconciliation waits for Argyle. The delays double from 1 s to at most 1 min: about two minutes in total. */
export const backoff = { firstDelayMs: 1_000, maxDelayMs: 60_000, maxTries: 8 };

// The page size is Argyle's maximum.
const firstPage = '/user-uploads?limit=200';
// Ten million uploads, whose ids take half of the function's memory.
const maxPages = 50_000;

export function createUserUploads({ askArgyle, sleep, nowMs, secretName }: UserUploadsDependencies): UserUploads {
  const ask = (path: string, endsMs: number) => {
    const request = async () => {
      const answer = await askArgyle('GET', path, {});
      if (answer.kind === 'unavailable') throw argyleError(answer);
      return answer;
    };
    return retryWhileUnavailable(request, { ...backoff, sleep, remainingMs: () => endsMs - nowMs() });
  };
  return {
    readPage: async (position, endsMs) => {
      const answer = await ask(position.nextPage ?? firstPage, endsMs);
      if (answer.kind !== 'ok') throw argyleError(answer, secretName);
      const page = readPage(answer.body);
      return { results: page.results, position: positionAfter(position, page, maxPages) };
    },
    has: async (userUpload, endsMs) => {
      const answer = await ask(`/user-uploads/${userUpload}`, endsMs);
      if (answer.kind === 'not_found') return false;
      // A document that is too large to be read exists.
      if (answer.kind === 'too_large') return true;
      if (answer.kind !== 'ok') throw argyleError(answer, secretName);
      return true;
    },
  };
}
