import { afterAll, afterEach, expect, test } from 'vitest';
import { createArgyleStarts, subscribe } from '../../support/fakes/argyle-api.ts';

const { start, stopReceivers, stopFakes } = createArgyleStarts();
afterEach(stopReceivers);
afterAll(stopFakes);

test.each([429, 500, 502, 503, 504])('the one retry comes on %i, byte-identical, and may succeed', async (status) => {
  const { argyle, receiver } = await start({ retryDelayMs: 40 }, ({ atMs }) =>
    atMs === receiver.received[0]?.atMs ? status : 200,
  );
  await subscribe(argyle, receiver.url);
  await argyle.control.uploadDocument();
  expect(await argyle.control.settled()).toBe(true);

  const [first, second] = receiver.received;
  expect(receiver.received).toHaveLength(2);
  expect(second).toMatchObject({ method: 'POST', headers: first?.headers, body: first?.body });
  // A timer of Node may be early by a millisecond.
  expect(Number(second?.atMs) - Number(first?.atMs)).toBeGreaterThanOrEqual(38);
  expect((await argyle.control.state()).deliveries).toEqual({
    ...{ sent: 2, retried: 1, pending: 0, acknowledged: 1, refused: 0, dropped: 0 },
    byResult: { 200: 1, [status]: 1 },
  });
  expect(await argyle.control.lostEvents()).toEqual([]);
});

test.each([201, 204, 302, 400, 401, 404, 413, 501])(
  'the one retry does not come on %i: the event is lost',
  async (status) => {
    const { argyle, receiver } = await start({}, () => status);
    const id = await subscribe(argyle, receiver.url);
    const { userUpload, account, user } = await argyle.control.uploadDocument();
    await argyle.control.settled();
    const ids = { userUpload, account, user };
    const event = 'user_uploads.added';
    expect(receiver.received).toHaveLength(1);
    expect(await argyle.control.refusedDeliveries()).toEqual([
      { event, ...ids, webhook: { id, name: 'uploads', url: receiver.url }, tries: [status] },
    ]);
    expect(await argyle.control.lostEvents()).toEqual([{ event, ...ids, reason: 'refused' }]);
  },
);

test('the one retry is the last', async () => {
  const { argyle, receiver } = await start({}, () => 503);
  await subscribe(argyle, receiver.url);
  await argyle.control.uploadDocument();
  await argyle.control.settled();
  expect(receiver.received).toHaveLength(2);
  expect(await argyle.control.refusedDeliveries()).toMatchObject([{ tries: [503, 503] }]);
});

test('the one retry comes when there is no answer in time', async () => {
  const { argyle, receiver } = await start({ answerLimitMs: 300 }, () => 'hang');
  await subscribe(argyle, receiver.url);
  await argyle.control.uploadDocument();
  expect(await argyle.control.settled()).toBe(true);
  expect(await argyle.control.refusedDeliveries()).toMatchObject([{ tries: ['time-out', 'time-out'] }]);
});

test('the one retry does not come when the connection breaks', async () => {
  const { argyle, receiver } = await start({}, () => 'close');
  await subscribe(argyle, receiver.url);
  await argyle.control.uploadDocument();
  await argyle.control.settled();
  expect(receiver.received).toHaveLength(1);
  expect(await argyle.control.refusedDeliveries()).toMatchObject([{ tries: ['no connection'] }]);
});

test('a connection that the receiver closed meanwhile is no failure', async () => {
  const { argyle, receiver } = await start({}, ({ isOnNewConnection }) => (isOnNewConnection ? 200 : 'close'));
  await subscribe(argyle, receiver.url);
  for (let number = 0; number < 2; number += 1) {
    await argyle.control.uploadDocument();
    await argyle.control.settled();
  }
  expect(receiver.received.map(({ isOnNewConnection }) => isOnNewConnection)).toEqual([true, false, true]);
  expect((await argyle.control.state()).deliveries).toMatchObject({ acknowledged: 2, retried: 0 });
});

test.each(['https://127.0.0.1:1/', 'http://127.0.0.1:1/'])('nobody at %s is no connection', async (url) => {
  const { argyle } = await start();
  await subscribe(argyle, url);
  await argyle.control.uploadDocument();
  expect(await argyle.control.settled()).toBe(true);
  expect(await argyle.control.refusedDeliveries()).toMatchObject([{ tries: ['no connection'] }]);
});
