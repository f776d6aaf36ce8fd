import { describe, expect, test } from 'vitest';
import { readStack, stages, targetOf } from '../support/synthesized-stack.ts';

describe.each(stages)('in %s', (stage) => {
  const stack = readStack(stage);
  const apiStage = stack.one('AWS::ApiGatewayV2::Stage').Properties;
  const functions = stack.all('AWS::Lambda::Function');
  const alias = { Ref: stack.aliasOf(stack.ingest()).id };

  test('the API has the webhook route and the health route, and both call the released version of ingest', () => {
    const routes = stack.all('AWS::ApiGatewayV2::Route').map(({ Properties }) => Properties);
    const integration = stack.one('AWS::ApiGatewayV2::Integration');
    expect(routes.map(({ RouteKey }) => RouteKey).sort()).toEqual(['GET /healthz', 'POST /webhooks/argyle']);
    expect(routes.map(({ Target }) => Target['Fn::Join'][1][1])).toEqual(routes.map(() => ({ Ref: integration.id })));
    expect(integration.Properties.IntegrationUri).toEqual(alias);
  });

  test('the API waits 9 s for ingest, which ends within 8 s', () => {
    expect(stack.one('AWS::ApiGatewayV2::Integration').Properties.TimeoutInMillis).toBe(9_000);
    expect(stack.ingest().Properties.Timeout).toBeLessThanOrEqual(8);
  });

  test('every function runs on Node 24 and arm64', () => {
    for (const { Properties } of functions)
      expect(Properties).toMatchObject({ Runtime: 'nodejs24.x', Architectures: ['arm64'] });
  });

  test('only the API may invoke a function: the released version of ingest', () => {
    const api = stack.one('AWS::ApiGatewayV2::Api').id;
    const permissions = stack.all('AWS::Lambda::Permission').map(({ Properties }) => Properties);
    expect(permissions).toHaveLength(2);
    for (const { Principal, FunctionName, SourceArn } of permissions) {
      expect({ Principal, FunctionName }).toEqual({ Principal: 'apigateway.amazonaws.com', FunctionName: alias });
      expect(JSON.stringify(SourceArn)).toContain(`{"Ref":"${api}"}`);
    }
  });

  test('the default stage deploys itself and throttles far above the traffic of any customer', () => {
    expect(apiStage).toMatchObject({ StageName: '$default', AutoDeploy: true });
    const { ThrottlingRateLimit, ThrottlingBurstLimit } = apiStage.DefaultRouteSettings;
    expect(ThrottlingRateLimit).toBeGreaterThanOrEqual(1_000);
    expect(ThrottlingBurstLimit).toBeGreaterThanOrEqual(ThrottlingRateLimit);
  });

  test('each function and the access logs have their own log group, which keeps logs for a month', () => {
    const used = [
      ...functions.map(({ Properties }) => targetOf(Properties.LoggingConfig?.LogGroup)),
      targetOf(apiStage.AccessLogSettings.DestinationArn),
    ];
    const groups = stack.all('AWS::Logs::LogGroup');
    expect(groups.map(({ id }) => id).sort()).toEqual(used.sort());
    expect(groups.filter(({ Properties }) => Properties?.RetentionInDays !== 30)).toEqual([]);
  });

  test('access logs contain no text that a client chooses', () => {
    const variables = Object.values<string>(JSON.parse(apiStage.AccessLogSettings.Format));
    expect(variables).toContain('$context.status');
    expect(variables.filter((variable) => !/^\$context\.[\w.]+$/.test(variable))).toEqual([]);
    const chosenByClient = /body|query|path|header|userAgent|authorizer|domain/i;
    expect(variables.filter((variable) => chosenByClient.test(variable))).toEqual([]);
  });

  test('the outputs are the URL, the secret, the table, the dashboard, the queues and how to subscribe', () => {
    const values = Object.entries<{ Value: unknown }>(stack.outputs).map(([name, { Value }]) => [name, Value]);
    const api = stack.one('AWS::ApiGatewayV2::Api').id;
    expect(Object.fromEntries(values)).toEqual({
      SubscribeByHand: expect.anything(),
      WebhookUrl: { 'Fn::Join': ['', [{ 'Fn::GetAtt': [api, 'ApiEndpoint'] }, '/webhooks/argyle']] },
      WebhookSecretArn: { Ref: stack.secret().id },
      UploadTableName: { Ref: stack.table().id },
      // The command line's tests check these two.
      QueueUrls: expect.anything(),
      LogGroupNames: expect.anything(),
      QuarantineQueueUrl: { Ref: stack.quarantine().id },
      // stack-dashboard.test.ts checks this one.
      DashboardUrl: expect.anything(),
    });
  });
});
