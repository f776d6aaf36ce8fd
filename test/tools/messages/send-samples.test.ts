import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { areAccepted, foreignAnswer, sendSamples } from '../../../tools/messages/send-samples.ts';

const foreign = 'without the status accepted or quarantined';

test.each([
  [200, '{"status":"accepted"}', '200 accepted', true, false],
  [200, '{"status":"quarantined"}', '200 quarantined', true, false],
  [200, '{"status":"ok"}', `200 ${foreign}`, false, true],
  [200, '{"status":true}', `200 ${foreign}`, false, true],
  [200, 'accepted', `200 ${foreign}`, false, true],
  [200, 'null', `200 ${foreign}`, false, true],
  [200, '', `200 ${foreign}`, false, true],
  [204, '', `204 ${foreign}`, false, true],
  [401, '{"status":"bad_signature"}', '401 bad_signature', false, false],
  [503, '{"message":"Service Unavailable"}', '503 Service Unavailable', false, false],
])('the answer %i %s is %s', async (code, body, answer, isAccepted, isForeign) => {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(code).end(body));
  }).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const tally = await sendSamples({ event: 'user_uploads.added', count: 2, upload: undefined, url, secret: 'any' });

  expect([...tally]).toEqual([[answer, 2]]);
  expect([areAccepted(tally), foreignAnswer(tally) !== undefined]).toEqual([isAccepted, isForeign]);
});
