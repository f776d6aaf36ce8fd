import type { Observer } from './observer.ts';
import type { Answer, Receiver } from './receiver.ts';

/** One behaviour that a receiver must have. `run` throws a sentence that says what was seen instead. */
export type Check = {
  readonly name: string;
  /** The parts of an observer without which nobody can tell. */
  readonly needs: readonly (keyof Observer)[];
  readonly run: (receiver: Receiver, observer: Observer) => Promise<void>;
};

/** An observer that has at least these parts. */
export type Observing<Need extends keyof Observer> = Observer & Required<Pick<Observer, Need>>;

/** Makes a check; its run is given an observer that has what the check needs. */
export function check<Need extends keyof Observer>(
  name: string,
  needs: readonly Need[],
  run: (receiver: Receiver, observer: Observing<Need>) => Promise<void>,
): Check {
  return { name, needs, run: (receiver, observer) => run(receiver, observer as Observing<Need>) };
}

/** The answers that README.md promises, and their HTTP status. */
export const answers = {
  accepted: 200,
  quarantined: 200,
  bad_signature: 401,
  too_large: 413,
  unavailable: 503,
} as const;

/** Throws unless the condition holds. */
export function demand(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new Error(otherwise);
}

/** Throws unless the answer is the expected one; `what` says what was answered. */
export function expectAnswer(answer: Answer, expected: keyof typeof answers, what: string): void {
  const isExpected = answer.code === answers[expected] && answer.status === expected;
  demand(isExpected, `${what}: answered ${textOf(answer)}, expected ${answers[expected]} ${expected}`);
}

/** An answer in words. */
export function textOf({ code, status }: Answer): string {
  return `${code} ${status ?? 'without a status'}`;
}

/** Whether one of the bodies that were kept is exactly this one. */
export function holds(kept: readonly Uint8Array[], body: string | Uint8Array): boolean {
  const bytes = Buffer.from(body);
  return kept.some((one) => bytes.equals(one));
}
