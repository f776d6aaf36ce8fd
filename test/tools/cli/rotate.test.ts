import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Report } from '../../../tools/cli/report.ts';
import { rotate } from '../../../tools/cli/rotate.ts';
import type { Target } from '../../../tools/cli/target.ts';
import type { Emulator } from '../../../tools/local/loopback.ts';
import { createSecret, type LocalSecret, startSecretsManager } from '../../../tools/local/secrets-manager.ts';
import { clientConfig } from '../../support/emulators/emulators.ts';

const options = { yes: true, revoke: true };
const polling = { maxMinutes: 0, intervalMs: 0 };

let emulator: Emulator;
let secret: LocalSecret;
let begin: (token: string) => void;
let results: object[];
beforeEach(async () => {
  secret = createSecret('old');
  results = [];
  emulator = await startSecretsManager(new Map([['webhook-secret', secret]]), async (token) => begin(token));
});
afterEach(() => emulator.stop());

test('rotate stops waiting for a rotation that does not end, and keeps the old secret', async () => {
  begin = (token) => secret.put(token, undefined, ['AWSPENDING']);

  await expect(rotate(target(), report(), options, polling)).rejects.toThrow(
    /did not end within 0 minutes.*No webhook is lost.*`failures`.*run this command again/,
  );
  expect(results).toEqual([]);
  expect(secret.value('AWSCURRENT')).toBe('old');
});

test('rotate waits for a rotation that began earlier, and then removes the old secret', async () => {
  secret.put('begun-before', 'new', ['AWSPENDING']);
  begin = () => undefined;
  const end = () => {
    const [current] = secret.find(undefined, 'AWSCURRENT') ?? [];
    secret.moveStage('AWSCURRENT', current, 'begun-before');
    secret.moveStage('AWSPENDING', 'begun-before', undefined);
  };

  await rotate(target(), report(end), options, polling);

  expect(results).toEqual([{ rotated: true, version: 'begun-before', dropped: true }]);
  expect([secret.value('AWSCURRENT'), secret.value('AWSPREVIOUS')]).toEqual(['new', undefined]);
});

// Nothing listens at the URL, so the log cannot be followed.
function target(): Target {
  return {
    isLocal: true,
    webhookUrl: 'http://127.0.0.1:1/webhooks/argyle',
    webhookSecretArn: 'webhook-secret',
    clientOptions: () => clientConfig(emulator.endpoint),
  } as unknown as Target;
}

function report(onRemark: Report['remark'] = () => undefined): Report {
  return {
    result: (data) => results.push(data),
    line: () => undefined,
    remark: onRemark,
    asJson: false,
    confirm: async () => true,
  };
}
