import { json } from 'node:stream/consumers';
import type { Engine } from './engine.ts';
import { startSmallEngine } from './loopback.ts';
import { type LocalSecret, secretRefusal } from './secret.ts';

/** Rotates the secret that has a rotation schedule; `token` is the id of the new version. */
export type Rotate = (token: string) => Promise<void>;

type Input = Readonly<Record<string, string | undefined>> & { readonly VersionStages?: readonly string[] };

const actions: Readonly<Record<string, (secret: LocalSecret, input: Input, rotate: Rotate) => object>> = {
  GetSecretValue: (secret, { SecretId, VersionId, VersionStage = 'AWSCURRENT' }) => {
    const [id, version] = secret.find(VersionId, VersionStage) ?? [];
    if (version?.value === undefined)
      throw secretRefusal(
        'ResourceNotFoundException',
        `Secrets Manager can't find the specified secret value for staging label: ${VersionStage}`,
      );
    const { value, createdAtMs, stages } = version;
    const about = { ARN: SecretId, CreatedDate: createdAtMs / 1_000, VersionId: id, VersionStages: [...stages] };
    return {
      ...about,
      ...(typeof value === 'string'
        ? { SecretString: value }
        : { SecretBinary: Buffer.from(value).toString('base64') }),
    };
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
  // The real one too answers before the rotation has ended. What fails is in the function's log.
  RotateSecret: (secret, { SecretId, ClientRequestToken = '' }, rotate) => {
    const [pending, version] = secret.find(undefined, 'AWSPENDING') ?? [];
    const isUnderWay = pending !== undefined && !version?.stages.has('AWSCURRENT');
    rotate(isUnderWay ? pending : ClientRequestToken).catch(() => undefined);
    if (isUnderWay)
      throw secretRefusal(
        'InvalidRequestException',
        "A previous rotation isn't complete. That rotation will be reattempted.",
      );
    return { ARN: SecretId, VersionId: ClientRequestToken };
  },
};

/**
 * A small Secrets Manager over `secrets`, by ARN or name. Of the real one it has what the functions and the command line call, with its
 * answers for versions and stages that do not exist. Changing `secrets` changes what is read next.
 */
export async function startSecretsEngine(
  secrets: ReadonlyMap<string, LocalSecret>,
  // Without a schedule nothing is rotated.
  rotate: Rotate = async () => undefined,
): Promise<Engine> {
  return startSmallEngine(async (request, response) => {
    const input = (await json(request)) as Input;
    response.setHeader('content-type', 'application/x-amz-json-1.1');
    try {
      const action = actions[String(request.headers['x-amz-target']).replace('secretsmanager.', '')];
      const secret = secrets.get(input.SecretId ?? '');
      if (!action) throw secretRefusal('UnknownOperationException', 'This engine does not know that action.');
      if (!secret) throw secretRefusal('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
      response.end(JSON.stringify(action(secret, input, rotate)));
    } catch (error) {
      const { code = 'InternalServiceError', message } = error as ReturnType<typeof secretRefusal>;
      response.writeHead(400).end(JSON.stringify({ __type: code, message }));
    }
  });
}
