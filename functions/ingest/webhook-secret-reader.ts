import {
  GetSecretValueCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import type { ReadStage } from './webhook-secrets.ts';

/** Creates the function that reads one stage of the webhook secret in Secrets Manager. */
export function createReadStage(client: SecretsManagerClient, secretId: string): ReadStage {
  return async (stage, abortSignal) => {
    try {
      const command = new GetSecretValueCommand({ SecretId: secretId, VersionStage: stage });
      const { SecretString, CreatedDate } = await client.send(command, { abortSignal });
      return SecretString ? { secret: SecretString, createdAtMs: CreatedDate?.getTime() ?? 0 } : undefined;
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return undefined;
      throw error;
    }
  };
}
