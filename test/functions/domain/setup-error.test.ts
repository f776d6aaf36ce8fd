import { expect, it } from 'vitest';
import { isSetupError, setupError } from '../../../functions/domain/setup-error.ts';

it('an error that a person can put right is told from any other', () => {
  expect(isSetupError(setupError('Put the API key into the secret.'))).toBe(true);
  for (const other of [new Error('broken'), { name: 'SetupError' }, undefined]) expect(isSetupError(other)).toBe(false);
});
