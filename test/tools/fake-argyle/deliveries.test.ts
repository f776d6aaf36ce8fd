import { afterAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { eventTypes } from '../../../functions/domain/events.ts';
import { startArgyle } from '../../support/fakes/argyle-api.ts';
import { sign, webhookBody } from '../../support/fakes/argyle-sender.ts';
import { startReceiver } from '../../support/fakes/webhook-receiver.ts';

const added = 'user_uploads.added';
const argyle = await startArgyle({ connections: 3, retryDelayMs: 40 });
const { control, subscribe } = argyle;
beforeEach(() => control.reset());
afterAll(argyle.stop);

async function receive(replyTo?: Parameters<typeof startReceiver>[0]) {
  const receiver = await startReceiver(replyTo);
  onTestFinished(receiver.stop);
  return receiver;
}

/** Uploads a document and waits until its event is delivered. */
async function upload(document = {}) {
  const created = await control.uploadDocument(document);
  expect(await control.settled()).toBe(true);
  return created;
}

test('a delivery is the pretty-printed event with a signature over its exact bytes, and Argyle headers', async () => {
  const receiver = await receive();
  const id = await subscribe(receiver.url, { name: 'Gehälter 🧾', secret: 'schlüssel-🔑' });
  const body = webhookBody(added, await upload(), 'Gehälter 🧾');

  expect(receiver.received).toMatchObject([{ method: 'POST', body }]);
  expect(Object.fromEntries(receiver.received[0]?.headers ?? [])).toMatchObject({
    'Content-Type': 'application/json',
    Accept: '*/*',
    'Accept-Encoding': 'gzip',
    'User-Agent': expect.stringMatching(/^ReactorNetty\/1\.1\.\d+$/),
    'Content-Length': String(Buffer.byteLength(body)),
    'X-Argyle-Signature': await sign(body, 'schlüssel-🔑'),
  });
  expect((await argyle.ask('GET', `/webhooks/${id}`)).body.last_sent_at).toMatch(/^\d{4}-/);
});

test('each of the five events is delivered', async () => {
  const receiver = await receive();
  // Without a secret there is no signature.
  await subscribe(receiver.url, { secret: undefined });
  const { userUpload, account } = await control.uploadDocument();
  for (const result of ['failure', 'success', 'authenticity'] as const) await control.runOcr(userUpload, { result });
  await control.removeAccount(account);
  await control.settled();

  const sent = receiver.received.map(({ body }) => JSON.parse(body));
  expect(sent.map(({ event, data }) => [event, data.user_upload]).sort()).toEqual(
    eventTypes.map((event) => [event, userUpload]).sort(),
  );
  expect((await control.readUpload(userUpload)).events).toEqual(
    ['added', 'ocr_failed', 'ocr_completed', 'ocr_authenticity', 'removed'].map((name) => `user_uploads.${name}`),
  );
  expect(receiver.received.flatMap(({ headers }) => [...headers.keys()])).not.toContain('X-Argyle-Signature');
});

test('an event is sent to every subscription that lists it, by name or by *', async () => {
  const { url, received } = await receive();
  await subscribe(url, { name: 'named', events: [added, 'accounts.connected'] });
  await subscribe(url, { name: 'all', events: ['*'] });
  await subscribe(url, { name: 'other', events: ['user_uploads.removed'] });
  await argyle.ask('DELETE', `/webhooks/${await subscribe(url, { name: 'deleted' })}`);
  await upload();
  expect(received.map(({ body }) => JSON.parse(body).name).sort()).toEqual(['all', 'named']);
});

test('an event is lost only when no subscription has acknowledged it', async () => {
  const acknowledged = Promise.withResolvers<void>();
  const { url } = await receive(async ({ body }) => {
    const { event, name } = JSON.parse(body);
    if (name === 'taking') {
      acknowledged.resolve();
      return 200;
    }
    // The refusal of the removal comes last.
    if (event === 'user_uploads.removed') await acknowledged.promise;
    return 401;
  });
  const { userUpload } = await control.uploadDocument();
  await subscribe(url, { name: 'refusing' });
  await control.runOcr(userUpload, { result: 'success' });
  await subscribe(url, { name: 'taking' });
  await control.removeUpload(userUpload);
  expect(await control.settled()).toBe(true);
  expect(await control.lostEvents()).toMatchObject([
    { event: added, reason: 'unsubscribed' },
    { event: 'user_uploads.ocr_completed', reason: 'refused' },
  ]);
  expect(await control.refusedDeliveries()).toHaveLength(2);
});

test('a seeded share of deliveries is dropped and reported', async () => {
  const receiver = await receive();
  await subscribe(receiver.url);
  const dropOf = async (seed: number) => {
    await control.setFaults({ dropDeliveries: 0.3, seed });
    const before = (await control.droppedDeliveries()).length;
    const created: string[] = [];
    while (created.length < 60) created.push((await control.uploadDocument()).userUpload);
    await control.settled();
    return (await control.droppedDeliveries()).slice(before).map(({ userUpload }) => created.indexOf(userUpload));
  };
  const first = await dropOf(1);
  expect(await dropOf(1)).toEqual(first);
  expect(await dropOf(2)).not.toEqual(first);
  expect(first.length).toBeGreaterThan(5);
  expect(first.length).toBeLessThan(35);
  const { dropped, acknowledged } = (await control.state()).deliveries;
  expect(dropped + acknowledged).toBe(180);
  expect(receiver.received).toHaveLength(acknowledged);
  expect(await control.lostEvents()).toHaveLength(dropped);
});

test('a later delivery overtakes a delayed one, and waiting ends at its limit', async () => {
  const receiver = await receive();
  await subscribe(receiver.url);
  await control.setFaults({ delayDeliveriesMs: 10_000_000 });
  await control.uploadDocument();
  await control.clearFaults();
  const { userUpload } = await control.uploadDocument();
  await expect.poll(() => receiver.received, { timeout: 100_000 }).toHaveLength(1);
  expect(JSON.parse(receiver.received[0]?.body ?? '').data.user_upload).toBe(userUpload);
  expect(await control.settled(10)).toBe(false);
});

test('as many deliveries as connections are sent at once, and the others follow', async () => {
  const released = Promise.withResolvers<void>();
  const receiver = await receive(() => released.promise.then(() => 200));
  await subscribe(receiver.url);
  await Promise.all(Array.from({ length: 50 }, () => control.uploadDocument()));
  await expect.poll(() => receiver.received, { timeout: 100_000 }).toHaveLength(3);
  expect(await control.settled(100)).toBe(false);
  expect(receiver.received).toHaveLength(3);
  released.resolve();
  expect(await control.settled()).toBe(true);
  expect(receiver.received).toHaveLength(50);
});

test.each([
  ...[429, 500, 502, 503, 504].map((status) => ({ replies: [status, 200] })),
  { replies: [503, 503] },
  ...[201, 204, 302, 400, 401, 404, 413, 501].map((status) => ({ replies: [status] })),
])(
  'a delivery with the answers $replies is sent once per answer, and is lost unless the last one is 200',
  async ({ replies }) => {
    const receiver = await receive(() => replies[receiver.received.length - 1] ?? 200);
    const id = await subscribe(receiver.url);
    const { userUpload, account, user } = await upload();

    const [first, second] = receiver.received;
    expect(receiver.received).toHaveLength(replies.length);
    if (second) {
      expect(second).toMatchObject({ method: 'POST', headers: first?.headers, body: first?.body });
      // A timer of Node may be early by a millisecond.
      expect(second.atMs - Number(first?.atMs)).toBeGreaterThanOrEqual(38);
    }
    const isLost = replies.at(-1) !== 200;
    const outcome = isLost ? { acknowledged: 0, refused: 1 } : { acknowledged: 1, refused: 0 };
    const { byResult, ...counts } = (await control.state()).deliveries;
    expect(counts).toEqual({ sent: replies.length, retried: replies.length - 1, pending: 0, dropped: 0, ...outcome });
    expect(new Set(Object.keys(byResult))).toEqual(new Set(replies.map(String)));
    const event = { event: added, userUpload, account, user };
    const delivery = { ...event, webhook: { id, name: 'uploads', url: receiver.url }, tries: replies };
    expect(await control.refusedDeliveries()).toEqual(isLost ? [delivery] : []);
    expect(await control.lostEvents()).toEqual(isLost ? [{ ...event, reason: 'refused' }] : []);
  },
);

test('a delivery without an answer in time is retried', async () => {
  const impatient = await startArgyle({ answerLimitMs: 300 });
  onTestFinished(impatient.stop);
  await impatient.subscribe((await receive(() => 'hang')).url);
  await impatient.control.uploadDocument();
  expect(await impatient.control.settled()).toBe(true);
  expect(await impatient.control.refusedDeliveries()).toMatchObject([{ tries: ['time-out', 'time-out'] }]);
});

test('a delivery whose connection breaks is not retried', async () => {
  const { url } = await receive(() => 'close');
  for (const target of [url, 'https://127.0.0.1:1/', 'http://127.0.0.1:1/']) await subscribe(target);
  await upload();
  expect((await control.refusedDeliveries()).map(({ tries }) => tries)).toEqual(Array(3).fill(['no connection']));
});

test('an idle connection that the receiver has closed is replaced', async () => {
  const receiver = await receive(({ isOnNewConnection }) => (isOnNewConnection ? 200 : 'close'));
  await subscribe(receiver.url);
  await upload();
  await upload();
  expect(receiver.received.map(({ isOnNewConnection }) => isOnNewConnection)).toEqual([true, false, true]);
  expect((await control.state()).deliveries).toMatchObject({ acknowledged: 2, retried: 0 });
});
