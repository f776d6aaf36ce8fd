import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Report } from '../../../tools/cli/report.ts';
import type { Target } from '../../../tools/cli/target.ts';
import { rotate } from '../../../tools/cli/webhook-secret.ts';
import type { Emulator } from '../../../tools/local/loopback.ts';
import { createSecret, type LocalSecret, startSecretsManager } from '../../../tools/local/secrets-manager.ts';
import { clientConfig } from '../../support/emulators/emulators.ts';

const patience = { mostMinutes: 0, pollMs: 0 };

let engine: Emulator;
let secret: LocalSecret;
let begin: (token: string) => void;
let results: object[];
beforeEach(async () => {
  secret = createSecret('old');
  results = [];
  engine = await startSecretsManager(new Map([['webhook-secret', secret]]), async (token) => begin(token));
});
afterEach(() => engine.stop());

test('a rotation that does not end is not waited for without an end, and the old secret is not dropped', async () => {
  begin = (token) => secret.put(token, undefined, ['AWSPENDING']);

  await expect(rotate(target(), { isSure: true, revoke: true }, report(), patience)).rejects.toThrow(
    /has not ended within 0 minutes.*Nothing is lost.*`failures`.*run this again/,
  );
  expect(results).toEqual([]);
  expect(secret.value('AWSCURRENT')).toBe('old');
});

test('a rotation that was begun before is waited for', async () => {
  secret.put('begun-before', 'new', ['AWSPENDING']);
  begin = () => undefined;
  const end = () => {
    const [current] = secret.find(undefined, 'AWSCURRENT') ?? [];
    secret.moveStage('AWSCURRENT', current, 'begun-before');
    secret.moveStage('AWSPENDING', 'begun-before', undefined);
  };

  await rotate(target(), { isSure: true, revoke: true }, report(end), patience);

  expect(results).toEqual([{ rotated: true, version: 'begun-before', dropped: true }]);
  expect([secret.value('AWSCURRENT'), secret.value('AWSPREVIOUS')]).toEqual(['new', undefined]);
});

// Its log cannot be followed: nobody listens there.
function target(): Target {
  return {
    isLocal: true,
    webhookUrl: 'http://127.0.0.1:1/webhooks/argyle',
    webhookSecretArn: 'webhook-secret',
    clientOptions: () => clientConfig(engine.endpoint),
  } as unknown as Target;
}

function report(onRemark: Report['remark'] = () => undefined): Report {
  return { result: (data) => results.push(data), remark: onRemark };
}
