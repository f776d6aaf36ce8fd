import { afterAll, beforeAll, expect, test } from 'vitest';
import { events, eventTypes } from '../../functions/domain/events.ts';
import { resolve } from '../../tools/local/template.ts';
import { startTestPipeline, type TestPipeline } from '../support/emulators/local-pipeline.ts';
import { newUpload, webhookBody } from '../support/fakes/argyle-sender.ts';

let pipeline: TestPipeline;
beforeAll(async () => {
  pipeline = await startTestPipeline('secret-of-production', 'production');
});
afterAll(() => pipeline.stop());

test("the local pipeline supports every resource type of production's template, including its rollout", () => {
  expect(pipeline.template.ofType('AWS::CodeDeploy::DeploymentGroup')).toHaveLength(eventTypes.length + 1);
  expect(pipeline.warnings).toEqual([]);
});

test('routes and event sources use aliases', () => {
  const aliases = pipeline.template
    .ofType('AWS::Lambda::Alias')
    .map(({ logicalId }) => resolve({ Ref: logicalId }, pipeline.identities));
  const called = [
    ...pipeline.template.ofType('AWS::ApiGatewayV2::Integration').map(({ properties }) => properties.IntegrationUri),
    ...pipeline.template.ofType('AWS::Lambda::EventSourceMapping').map(({ properties }) => properties.FunctionName),
  ].map((value) => resolve(value, pipeline.identities));
  expect(called).toHaveLength(eventTypes.length + 1);
  expect(called.filter((name) => !aliases.some((alias) => alias.endsWith(name)))).toEqual([]);
  expect(called.filter((name) => !name.endsWith(':live'))).toEqual([]);
});

test.each(eventTypes)('a signed %s becomes a record through the aliases', async (event) => {
  const ids = newUpload();

  const answer = await pipeline.post(webhookBody(event, ids));
  await pipeline.drained();

  expect(answer).toMatchObject({ code: 200, body: { status: 'accepted' } });
  expect(await pipeline.readRecord(ids.userUpload)).toMatchObject({ ...ids, [events[event].slot]: expect.any(String) });
});
