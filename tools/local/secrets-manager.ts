import { randomUUID } from 'node:crypto';
import { json } from 'node:stream/consumers';
import type { SecretsManagerRotationEvent } from 'aws-lambda';
import { functionOf, type Lambda } from './lambda.ts';
import { type Emulator, startHttpEmulator } from './loopback.ts';
import { type LocalStack, type Properties, resolve } from './template.ts';

type Value = string | Uint8Array;

/** A rotation creates the version before it sets the value. */
type Version = { value: Value | undefined; readonly createdAtMs: number; readonly stages: Set<string> };

/** A secret with its versions by id. Each stage is attached to at most one version. */
export type LocalSecret = ReturnType<typeof createSecret>;

/** Starts the rotation of the secret that has a rotation schedule; `token` is the id of the new version. */
export type Rotate = (token: string) => Promise<void>;

type Input = Readonly<Record<string, string | undefined>> & { readonly VersionStages?: readonly string[] };

const actions: Readonly<Record<string, (secret: LocalSecret, input: Input, rotate: Rotate) => object>> = {
  GetSecretValue: (secret, { SecretId, VersionId, VersionStage = 'AWSCURRENT' }) => {
    const [id, version] = secret.find(VersionId, VersionStage) ?? [];
    if (version?.value === undefined)
      throw awsError(
        'ResourceNotFoundException',
        `Secrets Manager can't find the specified secret value for staging label: ${VersionStage}`,
      );
    const { value, createdAtMs, stages } = version;
    const content =
      typeof value === 'string' ? { SecretString: value } : { SecretBinary: Buffer.from(value).toString('base64') };
    return { ARN: SecretId, CreatedDate: createdAtMs / 1_000, VersionId: id, VersionStages: [...stages], ...content };
  },
  PutSecretValue: (secret, { ClientRequestToken = '', SecretString, VersionStages = ['AWSCURRENT'] }) => {
    secret.put(ClientRequestToken, SecretString, VersionStages);
    return { VersionId: ClientRequestToken, VersionStages };
  },
  UpdateSecretVersionStage: (secret, { VersionStage = '', RemoveFromVersionId, MoveToVersionId }) => {
    secret.moveStage(VersionStage, RemoveFromVersionId, MoveToVersionId);
    return {};
  },
  DescribeSecret: (secret, { SecretId }) => ({ ARN: SecretId, VersionIdsToStages: secret.stages() }),
  // Answers before the rotation ends, as Secrets Manager does. The function logs its own errors.
  RotateSecret: (secret, { SecretId, ClientRequestToken = '' }, rotate) => {
    const [pending, version] = secret.find(undefined, 'AWSPENDING') ?? [];
    const isUnderWay = pending !== undefined && !version?.stages.has('AWSCURRENT');
    rotate(isUnderWay ? pending : ClientRequestToken).catch(() => undefined);
    if (isUnderWay)
      throw awsError(
        'InvalidRequestException',
        "A previous rotation isn't complete. That rotation will be reattempted.",
      );
    return { ARN: SecretId, VersionId: ClientRequestToken };
  },
};

/**
 * Starts a Secrets Manager emulator with the actions that the functions and the CLI call. `secrets` is its content, by ARN
 * or name; later changes to the map take effect at once.
 */
export async function startSecretsManager(
  secrets: ReadonlyMap<string, LocalSecret>,
  rotate: Rotate = async () => undefined,
): Promise<Emulator> {
  return startHttpEmulator(async (request, response) => {
    const input = (await json(request)) as Input;
    response.setHeader('content-type', 'application/x-amz-json-1.1');
    try {
      const action = actions[String(request.headers['x-amz-target']).replace('secretsmanager.', '')];
      const secret = secrets.get(input.SecretId ?? '');
      if (!action) throw awsError('UnknownOperationException', 'The emulator does not support this action.');
      if (!secret) throw awsError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
      response.end(JSON.stringify(action(secret, input, rotate)));
    } catch (error) {
      const { code = 'InternalServiceError', message } = error as ReturnType<typeof awsError>;
      response.writeHead(400).end(JSON.stringify({ __type: code, message }));
    }
  });
}

/** Creates a secret with a current version, or without versions when `current` is absent. */
export function createSecret(current?: string, nowMs: () => number = Date.now) {
  const versions = new Map<string, Version>();
  const holderOf = (stage: string) => [...versions].find(([, { stages }]) => stages.has(stage));
  const attach = (stage: string, id: string) => {
    const [before] = holderOf(stage) ?? [];
    versions.get(before ?? '')?.stages.delete(stage);
    if (stage === 'AWSCURRENT' && before !== undefined) attach('AWSPREVIOUS', before);
    versions.get(id)?.stages.add(stage);
  };
  /** Adds a version with its stages, or sets the value of one that has none yet. Throws when its value would change. */
  const put = (id: string, value: Value | undefined, stages: readonly string[]) => {
    const known = versions.get(id);
    if (known?.value !== undefined && known.value !== value)
      throw awsError('ResourceExistsException', 'A version with another value has that id.');
    if (known) known.value = value;
    else versions.set(id, { value, createdAtMs: nowMs(), stages: new Set() });
    for (const stage of stages) attach(stage, id);
  };
  /** Moves, attaches or removes a stage. Moving AWSCURRENT also moves AWSPREVIOUS. */
  const moveStage = (stage: string, from: string | undefined, to: string | undefined) => {
    const [holder] = holderOf(stage) ?? [];
    if ((holder !== undefined || from !== undefined) && holder !== from)
      throw awsError('InvalidParameterException', `${stage} is attached to another version than the one named.`);
    if (to !== undefined && !versions.has(to))
      throw awsError('ResourceNotFoundException', 'There is no version with that id.');
    if (to !== undefined) attach(stage, to);
    else if (from !== undefined) versions.get(from)?.stages.delete(stage);
  };
  if (current !== undefined) put(randomUUID(), current, ['AWSCURRENT']);
  return {
    put,
    moveStage,
    /** Finds a version by its id or, without an id, by a stage. */
    find: (id: string | undefined, stage: string) =>
      id === undefined ? holderOf(stage) : [...versions].find(([candidate]) => candidate === id),
    /** The stages of each version, by its id. */
    stages: () => Object.fromEntries([...versions].map(([id, version]) => [id, [...version.stages]])),
    /** The value of the version with a stage, if it is text. */
    value: (stage: string) => textOf(holderOf(stage)?.[1].value),
  };
}

/** Returns a value that is text; undefined for bytes and for no value. */
export function textOf(value: Value | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** The steps of a rotation, in Secrets Manager's order. */
export const rotationSteps = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const;

/**
 * Rotates the secret of the template's rotation schedule as Secrets Manager does: creates the pending version without a
 * value, then invokes the function for each step. Throws when a step throws.
 * @param token the id of the new version; the same id again repeats the rotation
 */
export async function rotateSecret(
  {
    template,
    identities,
    secrets,
    functions,
  }: LocalStack & {
    readonly secrets: ReadonlyMap<string, LocalSecret>;
    readonly functions: ReadonlyMap<string, Lambda>;
  },
  token: string = randomUUID(),
  steps: readonly SecretsManagerRotationEvent['Step'][] = rotationSteps,
): Promise<void> {
  for (const { properties } of template.ofType('AWS::SecretsManager::RotationSchedule')) {
    const { SecretId, RotationLambdaARN } = resolve<Properties>(properties, identities);
    const secret = secrets.get(SecretId);
    if (!secret?.find(token, '')) secret?.put(token, undefined, ['AWSPENDING']);
    for (const Step of steps)
      await functionOf(RotationLambdaARN, functions).invoke({ Step, SecretId, ClientRequestToken: token });
  }
}

function awsError(code: string, message: string): Error & { readonly code: string } {
  return Object.assign(new Error(message), { code });
}
