import { describe, expect, test } from 'vitest';
import { type Resource, readStack, stages, targetOf } from '../support/synthesized-stack.ts';

describe.each(stages)('in %s', (stage) => {
  const stack = readStack(stage);
  const apiStage = () => stack.one('AWS::ApiGatewayV2::Stage').Properties;

  test('the API has the webhook route, the health route and no other', () => {
    const routes = stack.all('AWS::ApiGatewayV2::Route').map(({ Properties }) => Properties.RouteKey);
    expect(routes.sort()).toEqual(['GET /healthz', 'POST /webhooks/argyle']);
  });

  test('every route leads to what is released of ingest', () => {
    const integrations = stack
      .all('AWS::ApiGatewayV2::Route')
      .map(({ Properties }) => Properties.Target['Fn::Join'][1][1]);
    const { id, Properties } = stack.one('AWS::ApiGatewayV2::Integration');
    expect(integrations).toEqual(integrations.map(() => ({ Ref: id })));
    expect(Properties.IntegrationUri).toEqual({ Ref: stack.aliasOf(stack.ingest()).id });
  });

  test('the API waits 9 s for ingest', () => {
    expect(stack.one('AWS::ApiGatewayV2::Integration').Properties.TimeoutInMillis).toBe(9_000);
  });

  test('ingest gives up within 8 s', () => {
    expect(stack.ingest().Properties.Timeout).toBeLessThanOrEqual(8);
  });

  test('ingest runs on Node 24 and arm64', () => {
    expect(stack.ingest().Properties).toMatchObject({ Runtime: 'nodejs24.x', Architectures: ['arm64'] });
  });

  test('nobody but the API may invoke a function, and of ingest only what is released', () => {
    const api = stack.one('AWS::ApiGatewayV2::Api').id;
    const permissions = stack.all('AWS::Lambda::Permission').map(({ Properties }) => Properties);
    expect(permissions).toMatchObject(permissions.map(() => ({ Principal: 'apigateway.amazonaws.com' })));
    expect(permissions).toMatchObject(
      permissions.map(() => ({ FunctionName: { Ref: stack.aliasOf(stack.ingest()).id } })),
    );
    expect(permissions.filter(({ SourceArn }) => !JSON.stringify(SourceArn).includes(`{"Ref":"${api}"}`))).toEqual([]);
  });

  test('the default stage deploys itself', () => {
    expect(apiStage()).toMatchObject({ StageName: '$default', AutoDeploy: true });
  });

  test('a flood is throttled, far above the traffic of any customer', () => {
    const { ThrottlingRateLimit, ThrottlingBurstLimit } = apiStage().DefaultRouteSettings;
    expect(ThrottlingRateLimit).toBeGreaterThanOrEqual(1_000);
    expect(ThrottlingBurstLimit).toBeGreaterThanOrEqual(ThrottlingRateLimit);
  });

  test('access logs go to a log group of their own', () => {
    const logGroup = targetOf(apiStage().AccessLogSettings.DestinationArn);
    const groupsOfFunctions = stack.all('AWS::Lambda::Function').map(logGroupOf);
    expect(stack.all('AWS::Logs::LogGroup').map(({ id }) => id)).toContain(logGroup);
    expect(groupsOfFunctions).not.toContain(logGroup);
  });

  test('access logs hold nothing that a stranger writes', () => {
    const variables = Object.values<string>(JSON.parse(apiStage().AccessLogSettings.Format));
    expect(variables).toContain('$context.status');
    expect(variables.filter((variable) => !/^\$context\.[\w.]+$/.test(variable))).toEqual([]);
    expect(
      variables.filter((variable) => /body|query|path|header|userAgent|authorizer|domain/i.test(variable)),
    ).toEqual([]);
  });

  test('every function writes to a log group of its own', () => {
    const groups = stack.all('AWS::Lambda::Function').map(logGroupOf);
    const known = stack.all('AWS::Logs::LogGroup').map(({ id }) => id);
    expect(new Set(groups).size).toBe(groups.length);
    expect(known).toEqual(expect.arrayContaining(groups));
  });

  test('no function can write to the log group of another', () => {
    const others = stack.all('AWS::Lambda::Function').filter((lambda) => {
      const logging = stack.statementsOf(lambda).filter(({ actions }) => actions.join().includes('logs:'));
      const groups = stack.all('AWS::Logs::LogGroup').map(({ id }) => id);
      const reached = groups.filter((group) => JSON.stringify(logging).includes(`"${group}"`));
      return reached.join() !== logGroupOf(lambda);
    });
    expect(others).toEqual([]);
  });

  test('there are no log groups but those of the functions and the access logs', () => {
    stack.template.resourceCountIs('AWS::Logs::LogGroup', stack.all('AWS::Lambda::Function').length + 1);
  });

  test('every log group forgets after a month', () => {
    expect(stack.all('AWS::Logs::LogGroup').filter(({ Properties }) => Properties?.RetentionInDays !== 30)).toEqual([]);
  });

  test('the outputs are the address, the secret, the table and the dashboard, and how to subscribe', () => {
    const { Outputs } = stack.template.toJSON();
    const api = stack.one('AWS::ApiGatewayV2::Api').id;
    expect(
      Object.fromEntries(Object.entries<{ Value: unknown }>(Outputs).map(([name, { Value }]) => [name, Value])),
    ).toEqual({
      SubscribeByHand: expect.anything(),
      WebhookUrl: { 'Fn::Join': ['', [{ 'Fn::GetAtt': [api, 'ApiEndpoint'] }, '/webhooks/argyle']] },
      WebhookSecretArn: { Ref: stack.one('AWS::SecretsManager::Secret').id },
      UploadTableName: { Ref: stack.table().id },
      // What the command line finds the rest by: tested with it.
      QueueUrls: expect.anything(),
      QuarantineQueueUrl: { Ref: stack.quarantine().id },
      LogGroupNames: expect.anything(),
      // Spelled out in stack-dashboard.test.ts.
      DashboardUrl: expect.anything(),
    });
  });
});

function logGroupOf(lambda: Resource): string | undefined {
  return targetOf(lambda.Properties.LoggingConfig?.LogGroup);
}
