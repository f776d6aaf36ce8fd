import {
  GetSecretValueCommand,
  type GetSecretValueCommandInput,
  PutSecretValueCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { callDeadline } from './clients.ts';

/** A stage of a secret: at most one version has it. Secrets Manager moves `previous` by itself when `current` moves. */
export const stages = { current: 'AWSCURRENT', pending: 'AWSPENDING' } as const;

/** One version of a secret that has a value which is text. */
export type SecretVersion = { readonly id: string; readonly value: string; readonly stages: readonly string[] };

/** The versions of one secret. All throw when Secrets Manager does not answer or refuses. */
export type SecretVersions = {
  /** The version with a stage or an id; undefined when there is none, or when it has no value yet or one that is no text. */
  readonly read: (
    which: { readonly stage: string } | { readonly id: string },
    signal: AbortSignal,
  ) => Promise<SecretVersion | undefined>;
  /** The id of the version with a stage, whatever its value is; undefined when there is none or it has no value. */
  readonly holderOf: (stage: string, signal: AbortSignal) => Promise<string | undefined>;
  /** Makes the pending version. */
  readonly putPending: (id: string, value: string, signal: AbortSignal) => Promise<void>;
  /** Moves a stage from one version to another, gives it to one that lacked it, or takes it away. */
  readonly moveStage: (
    stage: string,
    move: { readonly from?: string; readonly to?: string },
    signal: AbortSignal,
  ) => Promise<void>;
};

/** The versions of a secret in Secrets Manager. */
export function createSecretVersions(client: SecretsManagerClient, secretId: string): SecretVersions {
  const get = async (selector: Pick<GetSecretValueCommandInput, 'VersionId' | 'VersionStage'>, signal: AbortSignal) => {
    try {
      const command = new GetSecretValueCommand({ SecretId: secretId, ...selector });
      return await client.send(command, { abortSignal: callDeadline(signal) });
    } catch (error) {
      // A rotation that has just begun: the version has its stage, but no value.
      if (error instanceof ResourceNotFoundException) return undefined;
      throw error;
    }
  };
  return {
    read: async (which, signal) => {
      const selector = 'id' in which ? { VersionId: which.id } : { VersionStage: which.stage };
      const { VersionId, SecretString, VersionStages = [] } = (await get(selector, signal)) ?? {};
      return VersionId && SecretString ? { id: VersionId, value: SecretString, stages: VersionStages } : undefined;
    },
    holderOf: async (stage, signal) => (await get({ VersionStage: stage }, signal))?.VersionId,
    putPending: async (id, value, signal) => {
      const command = new PutSecretValueCommand({
        SecretId: secretId,
        ClientRequestToken: id,
        SecretString: value,
        VersionStages: [stages.pending],
      });
      await client.send(command, { abortSignal: callDeadline(signal) });
    },
    moveStage: async (stage, { from, to }, signal) => {
      const command = new UpdateSecretVersionStageCommand({
        SecretId: secretId,
        VersionStage: stage,
        ...(from && { RemoveFromVersionId: from }),
        ...(to && { MoveToVersionId: to }),
      });
      await client.send(command, { abortSignal: callDeadline(signal) });
    },
  };
}
