import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { readTemplate } from '../../tools/local/template.ts';
import { startTestPipeline, type TestPipeline, until } from '../support/emulators/local-pipeline.ts';
import { newUpload, webhookBody } from '../support/fakes/argyle-sender.ts';
import { fieldsOf, type LogLine, linesThatPass, valueOfField } from '../support/saved-query.ts';

const template = readTemplate(inject('assemblies').sandbox);
const queries = new Map<string, string>(
  template
    .ofType('AWS::Logs::QueryDefinition')
    .map(({ properties }) => [properties.Name.split('/').at(-1), properties.QueryString]),
);
const event = 'user_uploads.added';
const good = newUpload();
const wrongQueue = newUpload();
const poison = 'poison-delivery';

let pipeline: TestPipeline;
let lines: readonly LogLine[];
beforeAll(async () => {
  pipeline = await startTestPipeline();
  await pipeline.post(webhookBody(event, good));
  await pipeline.drained();
  await pipeline.post('signed, not understood');
  await pipeline.post('not signed', { 'X-Argyle-Signature': '0'.repeat(128) });
  const attributes = { event, receivedAt: new Date().toISOString(), deliveryId: poison };
  await pipeline.putOnQueue(event, webhookBody('user_uploads.removed', wrongQueue), attributes);
  await until(async () => (await pipeline.queueStates()).some(({ dead }) => dead > 0));
  lines = [
    ...pipeline.logLines.map((line) => JSON.parse(line.slice(line.indexOf('{')))),
    accessLine({ requestId: deliveryOf(good.userUpload), status: '200' }),
    accessLine({ requestId: 'refused', status: '401', 'identity.sourceIp': '192.0.2.1' }),
    accessLine({ requestId: 'died', status: '500', integrationErrorMessage: 'The function died' }),
    accessLine({ requestId: 'throttled', status: '429', integrationErrorMessage: '-' }),
    // The line of a worker when DynamoDB does not answer. The worker's tests check the fields of an error.
    { level: 'ERROR', message: 'record_failed', cause: { name: 'TimeoutError', code: 'ECONNRESET' } },
  ];
});
afterAll(() => pipeline.stop());

test.each([...queries.keys()])('%s uses only fields that log lines have', (name) => {
  const fields = fieldsOf(queries.get(name) ?? '');
  expect(fields).not.toEqual([]);
  expect(fields.filter((field) => lines.every((line) => valueOfField(line, field) === undefined))).toEqual([]);
});

test('by upload id: finds the delivery and the batch that applied it', () => {
  expect(found('by upload id', good.userUpload)).toMatchObject([
    { service: 'ingest', status: 'accepted', event },
    { service: event, Applied: 1 },
  ]);
});

test('by upload id: finds the reason of a failure', () => {
  const [first] = found('by upload id', wrongQueue.userUpload);
  expect(first).toMatchObject({ message: 'record_failed', reason: 'wrong_event', deliveryId: poison });
});

test('by delivery id: finds the response of the gateway, the line of ingest and the batch', () => {
  expect(found('by delivery id', deliveryOf(good.userUpload))).toMatchObject([
    { service: 'ingest', userUpload: good.userUpload },
    { service: event, userUploads: good.userUpload },
    { routeKey: 'POST /webhooks/argyle', status: '200' },
  ]);
});

test('by delivery id: finds the reason of a failure', () => {
  expect(found('by delivery id', poison)[0]).toMatchObject({ message: 'record_failed', reason: 'wrong_event' });
});

test('slowest: finds every request and every batch, and nothing else', () => {
  const measured = lines.filter((line) => '_aws' in line);
  expect(found('slowest')).toEqual(measured);
});

test('refusals: finds rejected requests with their source address', () => {
  expect(found('refusals')).toMatchObject([{ requestId: 'refused', status: '401', sourceIp: '192.0.2.1' }]);
});

test('failures: finds every error line', () => {
  const errors = lines.filter(({ level }) => level === 'ERROR');
  expect(errors.length).toBeGreaterThan(1);
  expect(found('failures')).toEqual(errors);
});

test('errors of the gateway: finds the responses that Argyle retries', () => {
  expect(found('errors of the gateway').map(({ requestId }) => requestId)).toEqual(['died', 'throttled']);
});

function found(name: string, id = ''): readonly LogLine[] {
  return linesThatPass((queries.get(name) ?? '').replaceAll('PUT-THE-ID-HERE', id), lines);
}

function deliveryOf(userUpload: string): string {
  const [line = ''] = pipeline.logLines.filter((candidate) => candidate.includes(userUpload));
  return JSON.parse(line.slice(line.indexOf('{'))).deliveryId;
}

// A line of API Gateway, in the template's access log format.
function accessLine(values: Readonly<Record<string, string>>): LogLine {
  const known: Readonly<Record<string, string>> = { routeKey: 'POST /webhooks/argyle', ...values };
  const format: string = template.ofType('AWS::ApiGatewayV2::Stage')[0]?.properties.AccessLogSettings.Format;
  return JSON.parse(format.replaceAll(/\$context\.([\w.]+)/g, (_, name: string) => known[name] ?? '-'));
}
