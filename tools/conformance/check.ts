import type { Observer, Observing } from './observer.ts';
import type { Answer, Delivery, Receiver } from './receiver.ts';

/** One behaviour that a receiver must have. `run` throws an error that describes what it saw instead. */
export type Check = {
  readonly name: string;
  /** The parts of an observer that the check needs. */
  readonly needs: readonly (keyof Observer)[];
  readonly run: (receiver: Receiver, observer: Observer) => Promise<void>;
};

/** Creates a check whose `run` gets an observer with all parts that it needs. */
export function check<Need extends keyof Observer>(
  name: string,
  needs: readonly Need[],
  run: (receiver: Receiver, observer: Observing<Need>) => Promise<void>,
): Check {
  return { name, needs, run: (receiver, observer) => run(receiver, observer as Observing<Need>) };
}

/** Creates a check that posts deliveries one after the other and expects the same answer to each. */
export function answerCheck(
  name: string,
  expected: keyof typeof answers,
  deliveriesTo: (receiver: Receiver) => Readonly<Record<string, Delivery>>,
): Check {
  return check(name, [], async (receiver) => {
    for (const [what, delivery] of Object.entries(deliveriesTo(receiver)))
      expectAnswer(await receiver.post(delivery), expected, what);
  });
}

/** Applies a function to every value of an object. */
export function mapValues<From, To>(values: Readonly<Record<string, From>>, map: (value: From, key: string) => To) {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, map(value, key)]));
}

// The answers that docs/answers.md documents, with their HTTP status.
const answers = { accepted: 200, quarantined: 200, bad_signature: 401, too_large: 413, unavailable: 503 } as const;

/** Throws unless the condition holds. */
export function demand(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new Error(otherwise);
}

/** Throws unless the answer is the expected one. `what` names the delivery. */
export function expectAnswer(answer: Answer, expected: keyof typeof answers, what: string): void {
  const isExpected = answer.code === answers[expected] && answer.status === expected;
  demand(isExpected, `${what}: answered ${textOf(answer)}, expected ${answers[expected]} ${expected}`);
}

export function textOf({ code, status }: Answer): string {
  return `${code} ${status ?? 'without a status'}`;
}

/** Whether one of the stored bodies is exactly this one. */
export function includesBody(stored: readonly Uint8Array[], body: string | Uint8Array): boolean {
  return stored.some((one) => Buffer.from(body).equals(one));
}
