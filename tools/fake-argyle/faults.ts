import { fractionFrom } from './ids.ts';

/** A wrong or slow answer of the API to requests of this method (default: whichever) whose path and query start with `path`. */
export type Failure = {
  readonly method?: string;
  /** As in `/v2/webhooks`; `/v2/user-uploads?` is only the list, `/v2/user-uploads/` only single ones. */
  readonly path: string;
  /** What to answer, or to close the connection without an answer. Left away: the right answer, after `slowMs`. */
  readonly status?: number | 'disconnect';
  /** The Retry-After header: seconds or an HTTP date. */
  readonly retryAfter?: number | string;
  /** The answer's text instead of JSON, as of a proxy in between. */
  readonly body?: string;
  /** How often; unlimited when left away. */
  readonly times?: number;
  /** Which share of the requests, 0 to 1; all when left away. */
  readonly rate?: number;
  readonly slowMs?: number;
  /** Whether the request is carried out all the same, as when only its answer is lost. */
  readonly isCarriedOut?: boolean;
};

/** What goes wrong. The same seed chooses the same deliveries and requests by their number. */
export type Faults = {
  /** The share of deliveries that are never sent, 0 to 1. */
  readonly dropDeliveries?: number;
  /** Each delivery waits a part of this before its first try, so that they arrive out of order. */
  readonly delayDeliveriesMs?: number;
  readonly failures?: readonly Failure[];
  /** A request that is more than the so-many-th in one second is answered 429, with Retry-After if told. */
  readonly rateLimit?: { readonly perSecond: number; readonly retryAfter?: number | string };
  /** The origin of `next` and `previous` instead of the fake's own. */
  readonly linkOrigin?: string;
  readonly seed?: number;
};

/** The faults in force, changed while the fake runs. */
export type FaultInjector = ReturnType<typeof createFaultInjector>;

/** Starts without any fault. */
export function createFaultInjector() {
  let faults: Faults = {};
  let timesLeft: number[] = [];
  let drawn = 0;
  const draw = (): number => fractionFrom(`${faults.seed ?? 1} ${drawn++}`);
  return {
    get: (): Faults => faults,
    set: (next: Faults): void => {
      faults = next;
      drawn = 0;
      timesLeft = (next.failures ?? []).map(({ times }) => times ?? Number.POSITIVE_INFINITY);
    },
    /** Whether the next delivery is lost before it is sent. */
    isDropped: (): boolean => draw() < (faults.dropDeliveries ?? 0),
    /** How long the next delivery waits before its first try. */
    delayMs: (): number => draw() * (faults.delayDeliveriesMs ?? 0),
    /** The first failure that hits this request. */
    failureOf: (method: string, path: string): Failure | undefined =>
      faults.failures?.find((failure, index) => {
        const left = timesLeft[index] ?? 0;
        if (failure.method && failure.method !== method) return false;
        if (left <= 0 || !path.startsWith(failure.path) || draw() >= (failure.rate ?? 1)) return false;
        timesLeft[index] = left - 1;
        return true;
      }),
  };
}
