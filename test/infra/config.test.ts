import { RootConstruct } from 'constructs';
import { expect, test } from 'vitest';
import { ConfigError, readConfig } from '../../infra/config.ts';

const silenceAllowed = 'a whole number of hours from 1 to 168';

test('without context the stack is a sandbox that keeps tombstones for 90 days and tells nobody', () => {
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

test.each(['sandbox', 'production'])('the stage may be %s', (stage) => {
  expect(readContext({ stage }).stage).toBe(stage);
});

test('production is rolled out as a canary, unless all at once is asked for', () => {
  expect(readContext({ stage: 'production' }).rollout).toBe('canary');
  expect(readContext({ stage: 'production', rollout: 'at-once' }).rollout).toBe('at-once');
});

test.each([
  [true, true],
  ['true', true],
  [false, false],
  ['false', false],
])('publishChanges may be %o', (publishChanges, isOn) => {
  expect(readContext({ publishChanges }).publishChanges).toBe(isOn);
});

test.each(['', 'yes', 'TRUE', 1, 0, {}])('publishChanges may not be %o', (publishChanges) => {
  expect(() => readContext({ publishChanges })).toThrow(refusalOf('publishChanges', publishChanges, 'true or false'));
});

test.each(['canary ', 'linear', '', true])('the rollout may not be %o', (rollout) => {
  expect(() => readContext({ rollout })).toThrow(refusalOf('rollout', rollout, "'canary' or 'at-once'"));
});

test.each([
  [31, 31],
  [365, 365],
  [3_650, 3_650],
  ['31', 31],
  ['3650', 3_650],
])('retentionDays may be %o', (retentionDays, days) => {
  expect(readContext({ retentionDays }).retentionDays).toBe(days);
});

test('alarmEmail may be a mail address', () => {
  expect(readContext({ alarmEmail: 'ops@example.com' }).alarmEmail).toBe('ops@example.com');
});

test.each(['prod', '', 'Production', 'sandbox ', 1, true])('the stage may not be %o', (stage) => {
  expect(() => readContext({ stage })).toThrow(refusalOf('stage', stage, "'sandbox' or 'production'"));
});

test.each([30, '30', 0, -1, '-1', 31.5, '31.5', 'many', '', ' 90', '1e3', 3_651, '3651', true])(
  'retentionDays may not be %o',
  (retentionDays) => {
    const allowed = 'a whole number of days from 31 to 3650';
    expect(() => readContext({ retentionDays })).toThrow(refusalOf('retentionDays', retentionDays, allowed));
  },
);

test.each([
  'nobody',
  '',
  '@example.com',
  'ops@',
  'ops@example',
  'ops@example.com,dev@example.com',
  '<ops@example.com>',
  1,
])('alarmEmail may not be %o', (alarmEmail) => {
  const allowed = 'one mail address, or leave it out';
  expect(() => readContext({ alarmEmail })).toThrow(refusalOf('alarmEmail', alarmEmail, allowed));
});

test.each([
  ['silenceHours', 1, 1],
  ['silenceHours', '168', 168],
  ['runbookUrl', 'https://example.com/uploads/runbook.md', 'https://example.com/uploads/runbook.md'],
])('%s may be %o', (key, value, read) => {
  expect(readContext({ [key]: value })).toMatchObject({ [key]: read });
});

test.each([
  ...[0, 169, '169', 1.5, 'daily', '', true].map((value) => ['silenceHours', value, silenceAllowed] as const),
  ...['', 'http://example.com', 'https://example.com/a b', 'https://example.com#top', 'README.md', 7].map(
    (value) => ['runbookUrl', value, 'a URL with https and without #, or leave it out'] as const,
  ),
])('%s may not be %o', (key, value, allowed) => {
  expect(() => readContext({ [key]: value })).toThrow(refusalOf(key, value, allowed));
});

test('with credentials alone everything else at Argyle has its default, by stage', () => {
  const credentials = 'argyle/api-key';
  const usual = { credentials, rotationDays: 90, reconciliationHours: 24 };
  expect(readContext({ argyleCredentials: credentials }).argyle).toEqual({
    ...usual,
    apiUrl: 'https://api-sandbox.argyle.com/v2',
    webhookName: 'argyle-uploads-sandbox',
  });
  expect(readContext({ argyleCredentials: credentials, stage: 'production' }).argyle).toEqual({
    ...usual,
    apiUrl: 'https://api.argyle.com/v2',
    webhookName: 'argyle-uploads-production',
  });
});

test.each([
  ['argyleCredentials', 'arn:aws:secretsmanager:us-east-1:123456789012:secret:argyle/api-key-AbCdEf'],
  ['argyleApiUrl', 'http://127.0.0.1:8790/v2'],
  ['webhookName', 'uploads: team 1'],
  ['rotationDays', '30'],
  ['reconciliationHours', 12],
])('%s may be %o', (key, value) => {
  expect(() => readContext({ argyleCredentials: 'argyle/api-key', [key]: value })).not.toThrow();
});

test.each([
  ['argyleCredentials', ''],
  ['argyleCredentials', 'key with spaces'],
  ['argyleCredentials', { apiKeyId: 'id' }],
  ['argyleCredentials', 'arn:aws:sqs:us-east-1:123456789012:queue'],
  ['argyleApiUrl', 'http://api.argyle.com/v2'],
  ['argyleApiUrl', 'https://api.argyle.com/v2/'],
  ['argyleApiUrl', 'api.argyle.com'],
  ['webhookName', ''],
  ['webhookName', 'n'.repeat(101)],
  ['webhookName', 'two\nlines'],
  ['rotationDays', 0],
  ['rotationDays', 1_001],
  ['reconciliationHours', 11],
  ['reconciliationHours', 'daily'],
])('%s may not be %o', (key, value) => {
  const refused = () => readContext({ argyleCredentials: 'argyle/api-key', [key]: value });
  expect(refused).toThrow(ConfigError);
  expect(refused).toThrow(`The context value ${key}=${JSON.stringify(value)} is not allowed: use `);
});

test.each(['argyleApiUrl', 'webhookName', 'rotationDays', 'reconciliationHours'])(
  '%s without credentials is refused rather than ignored',
  (key) => {
    expect(() => readContext({ [key]: 30 })).toThrow(
      `The context value ${key} has no effect without argyleCredentials`,
    );
  },
);

function readContext(context: Readonly<Record<string, unknown>>) {
  const { node } = new RootConstruct();
  for (const [key, value] of Object.entries(context)) node.setContext(key, value);
  return readConfig(node);
}

function refusalOf(key: string, value: unknown, allowed: string): ConfigError {
  return new ConfigError(`The context value ${key}=${JSON.stringify(value)} is not allowed: use ${allowed}.`);
}
