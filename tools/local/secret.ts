import { randomUUID } from 'node:crypto';

/** What a version holds: text, or bytes. */
type Value = string | Uint8Array;

/** One version of a secret; a rotation makes it before it has its value. */
type Version = { value: Value | undefined; readonly createdAtMs: number; readonly stages: Set<string> };

/** A secret as Secrets Manager keeps it: versions by id, each stage with one version at most. */
export type LocalSecret = ReturnType<typeof createSecret>;

/** What Secrets Manager refuses with; `code` is its name of it. */
export function secretRefusal(code: string, message: string): Error & { readonly code: string } {
  return Object.assign(new Error(message), { code });
}

/** Makes a secret with a current version, or without any; `nowMs` is the clock. */
export function createSecret(current?: string, nowMs: () => number = Date.now) {
  const versions = new Map<string, Version>();
  const holderOf = (stage: string) => [...versions].find(([, { stages }]) => stages.has(stage));
  const give = (stage: string, id: string) => {
    const [, before] = holderOf(stage) ?? [];
    before?.stages.delete(stage);
    if (stage === 'AWSCURRENT' && before) moveTo('AWSPREVIOUS', before);
    versions.get(id)?.stages.add(stage);
  };
  const moveTo = (stage: string, version: Version) => {
    holderOf(stage)?.[1].stages.delete(stage);
    version.stages.add(stage);
  };
  /** Puts a version with its stages, or the value into one that has none yet. Another value is refused. */
  const put = (id: string, value: Value | undefined, stages: readonly string[]) => {
    const known = versions.get(id);
    if (known?.value !== undefined && known.value !== value)
      throw secretRefusal('ResourceExistsException', 'A version with another value has that id.');
    if (known) known.value = value;
    else versions.set(id, { value, createdAtMs: nowMs(), stages: new Set() });
    for (const stage of stages) give(stage, id);
  };
  /** Moves a stage, gives it or takes it away. Moving AWSCURRENT moves AWSPREVIOUS with it. */
  const moveStage = (stage: string, from: string | undefined, to: string | undefined) => {
    const [holder] = holderOf(stage) ?? [];
    if ((holder !== undefined || from !== undefined) && holder !== from)
      throw secretRefusal('InvalidParameterException', `${stage} is on another version than the one named.`);
    if (to !== undefined && !versions.has(to))
      throw secretRefusal('ResourceNotFoundException', 'There is no version with that id.');
    if (to !== undefined) give(stage, to);
    else if (from !== undefined) versions.get(from)?.stages.delete(stage);
  };
  if (current !== undefined) put(randomUUID(), current, ['AWSCURRENT']);
  return {
    put,
    moveStage,
    /** A version by its id or by a stage. */
    find: (id: string | undefined, stage: string) =>
      id === undefined ? holderOf(stage) : [...versions].find(([candidate]) => candidate === id),
    /** The stages of each version, by its id. */
    stages: () => Object.fromEntries([...versions].map(([id, version]) => [id, [...version.stages]])),
    /** The value with a stage, if it is text. */
    value: (stage: string) => textOf(holderOf(stage)?.[1].value),
  };
}

/** A value that is text; of bytes and of nothing undefined. */
export function textOf(value: Value | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
