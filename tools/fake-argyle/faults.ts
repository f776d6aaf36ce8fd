import { fractionFrom } from './ids.ts';

/** A wrong or slow answer to requests of this method (default: every method) whose path and query start with `path`. */
export type Failure = {
  readonly method?: string;
  /** As in `/v2/webhooks`; `/v2/user-uploads?` matches only the list, `/v2/user-uploads/` only single documents. */
  readonly path: string;
  /** The status to answer, or to close the connection without an answer. Default: the right answer, after `slowMs`. */
  readonly status?: number | 'disconnect';
  /** The Retry-After header: seconds or an HTTP date. */
  readonly retryAfter?: number | string;
  /** Text instead of JSON, as from a proxy. */
  readonly body?: string;
  /** Maximum number of failures. Default: unlimited. */
  readonly times?: number;
  /** Share of the requests that fail, 0 to 1. Default: all. */
  readonly rate?: number;
  readonly slowMs?: number;
  /** Whether the request still takes effect, as when only its answer is lost. */
  readonly isCarriedOut?: boolean;
};

/** Configured faults. The same seed selects the same deliveries and requests by their number. */
export type Faults = {
  /** Share of deliveries that are never sent, 0 to 1. */
  readonly dropDeliveries?: number;
  /** Maximum random delay of each delivery's first try, so that deliveries arrive out of order. */
  readonly delayDeliveriesMs?: number;
  readonly failures?: readonly Failure[];
  /** Requests beyond `perSecond` are answered 429, with Retry-After if configured. */
  readonly rateLimit?: { readonly perSecond: number; readonly retryAfter?: number | string };
  /** The origin of `next` links instead of the fake's own. */
  readonly linkOrigin?: string;
  /** The last page of each list links to the first page again. */
  readonly cyclingLists?: boolean;
  /**
   * The API key belongs to another workspace, with this many documents and without subscriptions at first. It exists until the
   * faults change. Events and operations of the control API still concern the usual workspace.
   */
  readonly otherWorkspace?: { readonly uploads: number; readonly seed: number };
  /** Characters to which these fields of a new subscription are shortened. */
  readonly maxLengths?: Readonly<Partial<Record<'name' | 'url' | 'secret', number>>>;
  readonly seed?: number;
};

export type FaultInjector = ReturnType<typeof createFaultInjector>;

/** Creates the fault injector, without faults. */
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
    /** Whether to drop the next delivery. */
    isDropped: (): boolean => draw() < (faults.dropDeliveries ?? 0),
    /** Delay of the next delivery before its first try. */
    delayMs: (): number => draw() * (faults.delayDeliveriesMs ?? 0),
    /** Returns the first failure that applies to this request, and counts it. */
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
