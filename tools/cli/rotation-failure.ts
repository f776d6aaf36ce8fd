import { followLog } from './tail.ts';
import type { Target } from './target.ts';

/** The step in which a rotation failed, and what the rotation's log said of the cause: never a text that may hold a secret. */
export type RotationFailure = { readonly step: string; readonly cause: string };

type Line = {
  readonly message?: string;
  readonly version?: string;
  readonly step?: string;
  readonly cause?: { readonly name?: string; readonly code?: string; readonly message?: string };
};

/**
 * Follows the log from now until `signal` aborts; gives what it has said so far of a version's last failure. Secrets
 * Manager itself tells nobody: DescribeSecret of a failed rotation looks like that of one under way. Where the log cannot
 * be followed, no failure is known.
 */
export async function followFailures(
  target: Target,
  signal: AbortSignal,
): Promise<(version: string) => RotationFailure | undefined> {
  const failures = new Map<string, RotationFailure>();
  const lines = await followLog(target, signal).catch(() => undefined);
  const follow = async () => {
    for await (const text of lines ?? []) {
      const { message, version, step = '', cause } = readLine(text);
      if (message === 'rotation_failed' && version) failures.set(version, { step, cause: textOf(cause) });
    }
  };
  // It ends with an error when it is aborted.
  void follow().catch(() => undefined);
  return (version) => failures.get(version);
}

function readLine(text: string): Line {
  try {
    return JSON.parse(text.slice(text.indexOf('{')));
  } catch {
    // Lambda's own lines are no JSON.
    return {};
  }
}

function textOf({ name, code, message }: NonNullable<Line['cause']> = {}): string {
  return [name, code, message].filter(Boolean).join(' ') || 'unknown';
}
