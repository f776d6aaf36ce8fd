import { describe, expect, test } from 'vitest';
import { environment } from '../../functions/aws/environment.ts';
import { events, eventTypes } from '../../functions/domain/events.ts';
import { removalSlot } from '../../functions/domain/upload-record.ts';
import { readStack, stages, targetOf, variablesOf } from '../support/synthesized-stack.ts';

const askingEvents = eventTypes.filter((event) => events[event].slot !== removalSlot);

describe('with credentials for Argyle', () => {
  const stack = readStack('connected');
  const isAboutCredentials = (resource: unknown) => JSON.stringify(resource).includes('argyle/api-key');
  const credentialsReaders = () =>
    stack
      .all('AWS::Lambda::Function')
      .filter((lambda) => stack.statementsOf(lambda).some(({ resources }) => resources.some(isAboutCredentials)));

  test.each(askingEvents)('the worker of %s asks the API of its stage with the key of the secret', (event) => {
    expect(variablesOf(stack.worker(event))).toMatchObject({
      [environment.argyleApiUrl]: 'https://api-sandbox.argyle.com/v2',
      [environment.argyleCredentialsId]: 'argyle/api-key',
    });
  });

  test('only the functions that ask Argyle can read the credentials, and do nothing else with them', () => {
    const asking = stack
      .all('AWS::Lambda::Function')
      .filter((lambda) => environment.argyleCredentialsId in variablesOf(lambda));
    expect(credentialsReaders().map(({ id }) => id)).toEqual(asking.map(({ id }) => id));
    expect(asking.map(({ id }) => id)).not.toContain(stack.ingest().id);
    const actions = credentialsReaders()
      .flatMap((lambda) => stack.statementsOf(lambda))
      .filter(({ resources }) => resources.some(isAboutCredentials))
      .flatMap((statement) => statement.actions);
    expect(new Set(actions)).toEqual(new Set(['secretsmanager:GetSecretValue']));
  });

  test('the worker of removals, which has nothing to fetch, has no credentials', () => {
    const removing = eventTypes.filter((event) => !askingEvents.includes(event)).map((event) => stack.worker(event));
    expect(removing).toHaveLength(1);
    for (const worker of removing) expect(variablesOf(worker)).not.toHaveProperty(environment.argyleCredentialsId);
  });

  test('the names of its records stay free of what the stack remembers: that has a table of its own', () => {
    const [state, ...others] = stack.all('AWS::DynamoDB::Table').filter(({ id }) => id !== stack.table().id);
    expect(others).toEqual([]);
    expect(state?.Properties).toMatchObject({
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
    });
    for (const event of eventTypes) {
      const reached = stack.statementsOf(stack.worker(event)).flatMap(({ resources }) => resources.map(targetOf));
      expect(reached).not.toContain(state?.id);
    }
  });
});

describe.each(stages)('without credentials, in %s', (stage) => {
  test('nothing asks Argyle and nothing is kept for it', () => {
    const stack = readStack(stage);
    const variables = stack.all('AWS::Lambda::Function').flatMap((lambda) => Object.keys(variablesOf(lambda)));
    expect(variables).not.toContain(environment.argyleCredentialsId);
    expect(variables).not.toContain(environment.argyleApiUrl);
    expect(stack.all('AWS::DynamoDB::Table')).toHaveLength(1);
  });
});
