import { randomUUID } from 'node:crypto';
import type { SecretsManagerRotationEvent } from 'aws-lambda';
import { functionOf, type Lambda } from './lambda.ts';
import type { LocalSecret } from './secret.ts';
import type { LocalStack } from './template.ts';
import { type Properties, resolve } from './template.ts';

/** What a rotation needs of the pipeline. */
export type Rotatable = LocalStack & {
  readonly secrets: ReadonlyMap<string, LocalSecret>;
  readonly functions: ReadonlyMap<string, Lambda>;
};

/** The calls of a whole rotation, in Secrets Manager's order. */
export const rotationSteps = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const;

/**
 * Rotates the secret of the template's rotation schedule as Secrets Manager does: it makes the pending version, without
 * a value, then calls the function for each step. Throws what a step throws.
 * @param token the id of the new version; the same again repeats the rotation
 */
export async function rotateSecret(
  { template, identities, secrets, functions }: Rotatable,
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
