import { vi } from 'vitest';
import { withTimeLimit } from '../../../functions/aws/deadline.ts';
import {
  ingestDeadlineMs,
  newVersionSeenMs,
  previousSecretValidMs,
  stagesReadMs,
  unreadableSecretCacheMs,
} from '../../../functions/domain/secret-cache-times.ts';
import { createWebhookSecrets, type ReadStage } from '../../../functions/ingest/webhook-secrets.ts';
import { createSecret } from '../../../tools/local/secrets-manager.ts';
import { after, type Behaviour, healthy } from './secret-stages.ts';

/** The stage of the secret that signs a delivery. `outdated`: the version before the previous one. `forged`: none. */
export const signers = ['current', 'pending', 'previous', 'outdated', 'forged'] as const;

export type Delivery = {
  readonly signer: (typeof signers)[number];
  readonly environment: number;
  /** The answer: `true` for accepted, `false` for refused, an error, or undefined while there is none. */
  readonly answer: boolean | string | undefined;
  readonly tookMs: number;
  /** Whether the secret is valid, for long enough that ingest must know it. */
  readonly isValid: boolean;
  /** Whether the secret was valid at some time in the last 15 minutes. */
  readonly wasValid: boolean;
  /** Whether the environment has read the secret as the current one in the last 15 minutes, and it still is the current one. */
  readonly hasUsableCopy: boolean;
};

type State = {
  readonly atMs: number;
  readonly values: Readonly<Record<string, string | undefined>>;
  readonly currentCreatedAtMs: number;
};

const stages = ['AWSCURRENT', 'AWSPENDING', 'AWSPREVIOUS'] as const;

// What the rotation waits for besides: Argyle's last deliveries with the old secret. The exact time does not matter here.
const lastDeliveryMs = 60_000;

export type SecretWorld = ReturnType<typeof createSecretWorld>;

/**
 * Creates a webhook secret and execution environments of ingest, on fake timers. An environment is frozen while it has no request. Reads
 * return the state of up to `maxLagMs` ago.
 */
export function createSecretWorld(environmentCount: number, maxLagMs: number) {
  const secret = createSecret('secret-0', Date.now);
  const states: State[] = [];
  const deliveries: Delivery[] = [];
  let rotations = 0;
  let nextChangeMs: number | undefined;
  let behaviour = healthy;
  let reads = 0;

  const changed = () =>
    states.push({
      atMs: Date.now(),
      values: Object.fromEntries(stages.map((stage) => [stage, secret.value(stage)])),
      currentCreatedAtMs: secret.find(undefined, 'AWSCURRENT')?.[1].createdAtMs ?? 0,
    });
  changed();
  const stateAt = (ms: number) => states.findLast(({ atMs }) => atMs <= ms) ?? (states[0] as State);
  // Different lags in turn, the largest of which is the maximum.
  const readState = () => stateAt(Date.now() - (maxLagMs * (++reads % 4)) / 3);
  const environments = Array.from({ length: environmentCount }, () => createEnvironment(readState, () => behaviour));

  const untilChange = (ms: number) => {
    nextChangeMs = Date.now() + ms;
    return after(ms);
  };
  const rotate = async () => {
    const id = `secret-${++rotations}`;
    const [from] = secret.find(undefined, 'AWSCURRENT') ?? [];
    secret.put(id, id, ['AWSPENDING']);
    changed();
    await untilChange(newVersionSeenMs + lastDeliveryMs);
    secret.moveStage('AWSCURRENT', from, id);
    changed();
    await untilChange(stagesReadMs);
    secret.moveStage('AWSPENDING', id, undefined);
    changed();
    nextChangeMs = undefined;
  };
  const secretOf = (signer: Delivery['signer']) => {
    const { values } = stateAt(Date.now());
    if (signer === 'outdated')
      return states.findLast((state) => state.values.AWSCURRENT === values.AWSPREVIOUS)?.values.AWSPREVIOUS;
    return signer === 'forged' ? undefined : values[`AWS${signer.toUpperCase()}`];
  };
  const isValid = (signer: Delivery['signer'], nowMs: number) => {
    const { currentCreatedAtMs, values } = stateAt(nowMs);
    if (signer === 'current') return true;
    // The rotation subscribes with the pending version only then.
    if (signer === 'pending')
      return (
        stateAt(nowMs - newVersionSeenMs).values.AWSPENDING === values.AWSPENDING ||
        values.AWSPENDING === values.AWSCURRENT
      );
    const isMovedForAll = stateAt(nowMs - maxLagMs - ingestDeadlineMs).values.AWSPREVIOUS === values.AWSPREVIOUS;
    return (
      signer === 'previous' && isMovedForAll && nowMs + ingestDeadlineMs < currentCreatedAtMs + previousSecretValidMs
    );
  };
  const wasValid = (value: string, nowMs: number) => {
    const fromMs = nowMs - unreadableSecretCacheMs - maxLagMs - ingestDeadlineMs;
    const first = states.findLastIndex(({ atMs }) => atMs <= fromMs);
    return states.slice(Math.max(0, first)).some(({ values, currentCreatedAtMs }) => {
      // With a lag, a read may combine an outdated AWSPREVIOUS with the new AWSCURRENT, and its date.
      const isInTime = maxLagMs > 0 || fromMs < currentCreatedAtMs + previousSecretValidMs;
      const isPrevious = values.AWSPREVIOUS === value && isInTime;
      return isPrevious || values.AWSCURRENT === value || values.AWSPENDING === value;
    });
  };

  return {
    deliveries,
    /** The times of the reads of a stage, by execution environment. */
    readTimes: (stage: string) => environments.flatMap((environment) => environment.readTimes(stage)),
    passTime: async (ms: number): Promise<void> => {
      await vi.advanceTimersByTimeAsync(ms);
    },
    behave: (next: Behaviour) => {
      behaviour = next;
    },
    coldStart: (environment: number) => environments[environment]?.coldStart(),
    /** The time until the rotation in progress changes the stages, or 0. */
    msToNextChange: () => (nextChangeMs === undefined ? 0 : nextChangeMs - Date.now()),
    startRotation: () => {
      if (nextChangeMs === undefined) void rotate();
    },
    deliver: (index: number, signer: Delivery['signer']) => {
      const value = secretOf(signer);
      const [environment, startMs] = [environments[index], Date.now()];
      if (!environment || (value === undefined && signer !== 'forged')) return;
      const place = deliveries.length;
      const facts = {
        signer,
        environment: index,
        isValid: value !== undefined && isValid(signer, startMs),
        wasValid: value !== undefined && wasValid(value, startMs),
      };
      const hadCopy = maxLagMs === 0 && signer === 'current' && environment.hasUsableCopy(value);
      deliveries.push({ ...facts, hasUsableCopy: false, answer: undefined, tookMs: 0 });
      void environment.verify(value ?? 'forged').then((answer) => {
        const hasUsableCopy = hadCopy && secret.value('AWSCURRENT') === value;
        deliveries[place] = { ...facts, hasUsableCopy, answer, tookMs: Date.now() - startMs };
      });
    },
  };
}

/** Creates an execution environment. Its reads continue only while it has a request. */
function createEnvironment(readState: () => State, behaviour: () => Behaviour) {
  const reads: { readonly stage: string; readonly atMs: number }[][] = [];
  let thaws: (() => void)[] = [];
  let requests = 0;
  let copy: { readonly value: string; readonly readAtMs: number } | undefined;
  let lastCurrent: string | undefined;

  const readStage: ReadStage = async (stage, abortSignal) => {
    abortSignal.throwIfAborted();
    const own = reads.at(-1) ?? [];
    own.push({ stage, atMs: Date.now() });
    const [startMs, { delayMs, fails }] = [Date.now(), behaviour()];
    await after(delayMs / 2, abortSignal);
    const { values, currentCreatedAtMs } = readState();
    await after(delayMs / 2, abortSignal);
    if (requests === 0) await new Promise<void>((resolve) => thaws.push(resolve));
    if (fails) throw new Error(`${stage} cannot be read`);
    const value = values[stage];
    if (stage === 'AWSCURRENT') keepCopy(value ?? '', startMs, own);
    return value === undefined ? undefined : { secret: value, createdAtMs: currentCreatedAtMs };
  };
  // A read of all stages, which may still fail, reads the next stage at once. Any other read of the current secret is complete.
  const keepCopy = (value: string, readAtMs: number, own: readonly unknown[]) => {
    lastCurrent = value;
    // Ingest has given up on this read.
    if (Date.now() - readAtMs >= ingestDeadlineMs) return;
    const count = own.length;
    setTimeout(() => {
      if (own.length === count && own === reads.at(-1)) copy = { value, readAtMs };
    });
  };
  const start = () => {
    reads.push([]);
    [copy, lastCurrent] = [undefined, undefined];
    const secrets = createWebhookSecrets(readStage, Date.now);
    secrets.readAhead();
    return secrets;
  };
  let secrets = start();

  return {
    readTimes: (stage: string) =>
      reads.map((ofStart) => ofStart.flatMap((read) => (read.stage === stage ? read.atMs : []))),
    hasUsableCopy: (value: string | undefined) =>
      copy !== undefined &&
      copy.value === value &&
      lastCurrent === value &&
      Date.now() - copy.readAtMs < unreadableSecretCacheMs,
    coldStart: () => {
      // Lambda stops no environment that has a request.
      if (requests === 0) secrets = start();
    },
    verify: async (value: string): Promise<boolean | string> => {
      requests += 1;
      for (const thaw of thaws) thaw();
      thaws = [];
      const verify = (deadline: AbortSignal) => secrets.verify((candidates) => candidates.includes(value), deadline);
      const answer = await withTimeLimit(ingestDeadlineMs, verify).catch((error: Error) => error.message);
      requests -= 1;
      return answer;
    },
  };
}
