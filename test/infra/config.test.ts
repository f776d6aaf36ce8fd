import { RootConstruct } from 'constructs';
import { expect, test } from 'vitest';
import { maxHoursBetweenRuns } from '../../functions/domain/reconciliation-times.ts';
import { ConfigError, readConfig } from '../../infra/config.ts';

const credentials = 'argyle/api-key';

test('without context, the stack is a sandbox without options', () => {
  expect(readContext({})).toEqual({
    stage: 'sandbox',
    rollout: 'at-once',
    retentionDays: 90,
    alarmEmail: undefined,
    silenceHours: undefined,
    runbookUrl: 'docs/runbook.md',
    publishChanges: false,
    argyle: undefined,
  });
});

test('production is rolled out as a canary by default', () => {
  expect(readContext({ stage: 'production' }).rollout).toBe('canary');
  expect(readContext({ stage: 'production', rollout: 'at-once' }).rollout).toBe('at-once');
});

test.each(['sandbox', 'production'] as const)(
  'the defaults of the settings for Argyle depend on the stage %s',
  (stage) => {
    expect(readContext({ argyleCredentials: credentials, stage }).argyle).toEqual({
      credentials,
      apiUrl: { sandbox: 'https://api-sandbox.argyle.com/v2', production: 'https://api.argyle.com/v2' }[stage],
      webhookName: `argyle-uploads-${stage}`,
      rotationDays: 90,
      reconciliationHours: 24,
    });
  },
);

// On the command line every value is a string.
test.each<[key: string, allowed: string, accepted: readonly unknown[], rejected: readonly unknown[]]>([
  ['stage', "'sandbox' or 'production'", ['sandbox'], ['prod', '', 'Production', 'sandbox ', 1, true]],
  ['rollout', "'canary' or 'at-once'", ['canary', 'at-once'], ['canary ', 'linear', '', true]],
  [
    'retentionDays',
    'a whole number of days from 31 to 3650',
    [31, 365, 3_650, '31', '3650'],
    [30, '30', 0, -1, '-1', 31.5, '31.5', 'many', '', ' 90', '1e3', 3_651, '3651', true],
  ],
  [
    'alarmEmail',
    'one email address, or leave it out',
    ['ops@example.com'],
    ['nobody', '', '@example.com', 'ops@', 'ops@example', 'a@example.com,b@example.com', '<ops@example.com>', 1],
  ],
  ['silenceHours', 'a whole number of hours from 1 to 168', [1, '168'], [0, 169, '169', 1.5, 'daily', '', true]],
  [
    'runbookUrl',
    'a URL with https and without #, or leave it out',
    ['https://example.com/uploads/runbook.md'],
    ['', 'http://example.com', 'https://example.com/a b', 'https://example.com#top', 'README.md', 7],
  ],
  ['publishChanges', 'true or false', [true, 'true', false, 'false'], ['', 'yes', 'TRUE', 1, 0, {}]],
])('%s must be %s', (key, allowed, accepted, rejected) => {
  for (const value of accepted) expect(String(readContext({ [key]: value })[key as 'stage'])).toBe(String(value));
  for (const value of rejected)
    expect(() => readContext({ [key]: value })).toThrow(
      new ConfigError(`The context value ${key}=${JSON.stringify(value)} is not allowed: use ${allowed}.`),
    );
});

test('numbers and switches on the command line become numbers and booleans', () => {
  const config = readContext({ retentionDays: '31', silenceHours: '168', publishChanges: 'true' });
  expect(config).toMatchObject({ retentionDays: 31, silenceHours: 168, publishChanges: true });
});

test.each<[key: string, property: string, accepted: unknown, rejected: readonly unknown[]]>([
  [
    'argyleCredentials',
    'credentials',
    'arn:aws:secretsmanager:us-east-1:123456789012:secret:argyle/api-key-AbCdEf',
    ['', 'key with spaces', { apiKeyId: 'id' }, 'arn:aws:sqs:us-east-1:123456789012:queue'],
  ],
  [
    'argyleApiUrl',
    'apiUrl',
    'http://127.0.0.1:8790/v2',
    ['http://api.argyle.com/v2', 'https://api.argyle.com/v2/', 'api.argyle.com'],
  ],
  ['webhookName', 'webhookName', 'uploads: team 1', ['', 'n'.repeat(101), 'two\nlines']],
  ['rotationDays', 'rotationDays', '30', [0, 1_001]],
  ['reconciliationHours', 'reconciliationHours', 12, [11, 'daily']],
])('%s is checked and passed on as %s', (key, property, accepted, rejected) => {
  const read = (value: unknown) => readContext({ argyleCredentials: credentials, [key]: value }).argyle;
  expect(String(read(accepted)?.[property as 'credentials'])).toBe(String(accepted));
  for (const value of rejected) {
    expect(() => read(value)).toThrow(ConfigError);
    expect(() => read(value)).toThrow(`The context value ${key}=${JSON.stringify(value)} is not allowed: use `);
  }
});

test('reconciliation cannot run less often than the saved misses allow', () => {
  const reconciliationHours = maxHoursBetweenRuns + 1;
  expect(() => readContext({ argyleCredentials: credentials, reconciliationHours })).toThrow(ConfigError);
});

test.each(['argyleApiUrl', 'webhookName', 'rotationDays', 'reconciliationHours'])(
  '%s without credentials is rejected instead of ignored',
  (key) => {
    expect(() => readContext({ [key]: 30 })).toThrow(
      `The context value ${key} has no effect without argyleCredentials: set both or none.`,
    );
  },
);

function readContext(context: Readonly<Record<string, unknown>>) {
  const { node } = new RootConstruct();
  for (const [key, value] of Object.entries(context)) node.setContext(key, value);
  return readConfig(node);
}
