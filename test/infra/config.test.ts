import { readFileSync } from 'node:fs';
import { RootConstruct } from 'constructs';
import { describe, expect, test } from 'vitest';
import { maxHoursBetweenRuns, missDays } from '../../functions/domain/reconciliation-times.ts';
import { overdueAfterRuns, readConfig } from '../../infra/config.ts';
import { ConfigError } from '../../infra/settings.ts';

const credentials = 'argyle/api-key';
const arn = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:';

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
  const production = { stage: 'production', argyleCredentials: 'none' };
  expect(readContext(production).rollout).toBe('canary');
  expect(readContext({ ...production, rollout: 'at-once' }).rollout).toBe('at-once');
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
    `${arn}argyle/api-key-AbCdEf`,
    ['', 'key with spaces', { apiKeyId: 'id' }, null, 'arn:aws:sqs:us-east-1:123456789012:queue', 'None', 'NONE'],
  ],
  [
    'argyleApiUrl',
    'apiUrl',
    'http://127.0.0.1:8790/v2',
    ['http://api.argyle.com/v2', 'https://api.argyle.com/v2/', 'api.argyle.com'],
  ],
  [
    'webhookName',
    'webhookName',
    'uploads: team 1',
    ['', 'n'.repeat(101), 'two\nlines', 'uploads ', ' uploads', ' ', 'line\n'],
  ],
  ['rotationDays', 'rotationDays', '30', [0, 1_001]],
  ['reconciliationHours', 'reconciliationHours', 12, [11, 'daily', 85, 720]],
  ['reconciliationHours', 'reconciliationHours', 84, []],
])('%s is checked and passed on as %s', (key, property, accepted, rejected) => {
  const read = (value: unknown) => readContext({ argyleCredentials: credentials, [key]: value }).argyle;
  expect(String(read(accepted)?.[property as 'credentials'])).toBe(String(accepted));
  for (const value of rejected) {
    expect(() => read(value)).toThrow(ConfigError);
    expect(() => read(value)).toThrow(`The context value ${key}=${JSON.stringify(value)} is not allowed: use `);
  }
});

test('a miss lasts until the second next run, and the alarm about overdue runs can look back far enough', () => {
  const maxAlarmHours = 7 * 24;
  expect(2 * maxHoursBetweenRuns).toBeLessThan(missDays * 24);
  expect(overdueAfterRuns * maxHoursBetweenRuns).toBeLessThanOrEqual(maxAlarmHours);
});

test.each(['argyleApiUrl', 'webhookName', 'rotationDays', 'reconciliationHours'])(
  '%s without credentials is rejected instead of ignored',
  (key) => {
    expect(() => readContext({ [key]: 30 })).toThrow(
      `The context value ${key} has no effect without argyleCredentials: state both or neither.`,
    );
  },
);

describe('the settings of a stage', () => {
  const stages = { sandbox: { retentionDays: 31 }, production: { retentionDays: 365, argyleCredentials: credentials } };

  test('are chosen by the stage', () => {
    expect(readContext({ stages }).retentionDays).toBe(31);
    expect(readContext({ stages, stage: 'production' })).toMatchObject({ retentionDays: 365, argyle: { credentials } });
  });

  test('are overridden one by one with -c', () => {
    const config = readContext({ stages, stage: 'production', retentionDays: '60' });
    expect(config).toMatchObject({ retentionDays: 60, argyle: { credentials } });
    expect(readContext({ stages, stage: 'production', argyleCredentials: 'none' }).argyle).toBeUndefined();
  });

  test('may be replaced as text, which is what -c passes', () => {
    expect(readContext({ stages: '{}' }).retentionDays).toBe(90);
    expect(readContext({ stages: JSON.stringify(stages) }).retentionDays).toBe(31);
  });

  test.each([
    ['stages.sandbox.retentionDays=30', { sandbox: { retentionDays: 30 } }, 'a whole number of days from 31 to 3650'],
    ['stages.sandbox.retentionDays=null', { sandbox: { retentionDays: null } }, 'a whole number of days from 31 to'],
    ['stages.sandbox.publishChanges="yes"', { sandbox: { publishChanges: 'yes' } }, 'true or false'],
    ['stages.production.alarmMail="a@b.example"', { production: { alarmMail: 'a@b.example' } }, 'one of argyleCred'],
    ['stages.sandbox.stage="production"', { sandbox: { stage: 'production' } }, 'one of argyleCredentials, '],
    ['stages.prod={}', { prod: {} }, 'stages.sandbox or stages.production'],
    ['stages.sandbox="{}"', { sandbox: '{}' }, 'a JSON object'],
    ['stages.sandbox=null', { sandbox: null }, 'a JSON object'],
    ['stages=[]', [], 'a JSON object'],
    ['stages=null', null, 'a JSON object'],
    ['stages="sandbox"', 'sandbox', 'a JSON object'],
  ])('stop synthesis when they contain %s', (shown, wrong, allowed) => {
    expect(() => readContext({ stages: wrong })).toThrow(ConfigError);
    expect(() => readContext({ stages: wrong })).toThrow(`The context value ${shown} is not allowed: use ${allowed}`);
  });

  test.each(['sandbox', 'production'])('of %s in cdk.json are valid', (stage) => {
    const { context } = JSON.parse(readFileSync(new URL('../../cdk.json', import.meta.url), 'utf8'));
    const { argyleCredentials = 'none' } = context.stages[stage];
    expect(readContext({ stages: context.stages, stage, argyleCredentials }).stage).toBe(stage);
  });
});

describe('argyleCredentials', () => {
  test('must be stated for production, in cdk.json or for one command', () => {
    const production = { stage: 'production', stages: { production: { alarmEmail: 'ops@example.com' } } };
    expect(() => readContext(production)).toThrow(
      new ConfigError(
        'Production does not synthesize until argyleCredentials is stated. In cdk.json, under context.stages.production, ' +
          'add "argyleCredentials": "NAME" with the name of the secret that contains Argyle\'s API key, or ' +
          '"argyleCredentials": "none" if this stack must not call Argyle.',
      ),
    );
    expect(readContext({ ...production, argyleCredentials: credentials }).argyle?.credentials).toBe(credentials);
  });

  test.each(['sandbox', 'production'])("'none' in %s means that the stack does not call Argyle", (stage) => {
    expect(readContext({ stages: { [stage]: { argyleCredentials: 'none' } }, stage }).argyle).toBeUndefined();
  });

  test("with 'none', the other settings for Argyle are still checked", () => {
    const read = (rotationDays: number) =>
      readContext({ stages: { sandbox: { rotationDays } }, argyleCredentials: 'none' });
    expect(read(30).argyle).toBeUndefined();
    expect(() => read(0)).toThrow('stages.sandbox.rotationDays=0');
  });

  test.each(['argyle/api-key', 'argyle/key-Ab1', 'k', 'argyle/api-key-AbCdE', 'argyle/api-key-AbCdE_'])(
    'is refused when it is the ARN of the secret %s without the six characters that Secrets Manager adds',
    (name) => {
      expect(() => readContext({ argyleCredentials: arn + name })).toThrow(
        new ConfigError(
          `The context value argyleCredentials="${arn}${name}" is not allowed: use the name of the secret, ${name}, ` +
            'or its complete ARN, which ends in a hyphen and six characters.',
        ),
      );
    },
  );

  // The ARN of my-secret without its suffix looks complete, also to Secrets Manager.
  test.each(['my-secret', 'key-AbCdEf', `${arn}my-secret-AbCdEf`])('may be %s', (value) => {
    expect(readContext({ argyleCredentials: value }).argyle?.credentials).toBe(value);
  });
});

function readContext(context: Readonly<Record<string, unknown>>) {
  const { node } = new RootConstruct();
  for (const [key, value] of Object.entries(context)) node.setContext(key, value);
  return readConfig(node);
}
