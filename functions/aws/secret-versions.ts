import {
  GetSecretValueCommand,
  type GetSecretValueCommandInput,
  PutSecretValueCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { callDeadline } from './clients.ts';

/** Stages of a secret. Each stage belongs to at most one version. When AWSCURRENT moves, Secrets Manager moves AWSPREVIOUS too. */
export const stages = { current: 'AWSCURRENT', pending: 'AWSPENDING', previous: 'AWSPREVIOUS' } as const;

/** A version of a secret whose value is a text. */
export type SecretVersion = { readonly id: string; readonly value: string; readonly stages: readonly string[] };

/** The versions of one secret. All functions throw when Secrets Manager fails. */
export type SecretVersions = {
  /** Reads the version with a stage or an id. Returns undefined when there is none, or its value is not a text. */
  readonly read: (
    which: { readonly stage: string } | { readonly id: string },
    signal: AbortSignal,
  ) => Promise<SecretVersion | undefined>;
  /** Returns the id of the version with a stage, even if its value is binary. Returns undefined when there is none. */
  readonly versionIdOf: (stage: string, signal: AbortSignal) => Promise<string | undefined>;
  /** Writes the value of the pending version. */
  readonly putPending: (id: string, value: string, signal: AbortSignal) => Promise<void>;
  /** Adds a stage to the version `to`, removes it from the version `from`, or both. */
  readonly moveStage: (
    stage: string,
    move: { readonly from?: string; readonly to?: string },
    signal: AbortSignal,
  ) => Promise<void>;
};

export function createSecretVersions(client: SecretsManagerClient, secretId: string): SecretVersions {
  const get = async (selector: Pick<GetSecretValueCommandInput, 'VersionId' | 'VersionStage'>, signal: AbortSignal) => {
    try {
      const command = new GetSecretValueCommand({ SecretId: secretId, ...selector });
      return await client.send(command, { abortSignal: callDeadline(signal) });
    } catch (error) {
      // At the start of a rotation, the pending version has no value.
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
    versionIdOf: async (stage, signal) => (await get({ VersionStage: stage }, signal))?.VersionId,
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
