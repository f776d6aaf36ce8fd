import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { eventTypes } from '../../../functions/domain/events.ts';
import { createArgyleStarts, subscribe } from '../../support/fakes/argyle-api.ts';
import { sign, webhookBody } from '../../support/fakes/argyle-sender.ts';

const { start, stopReceivers, stopFakes } = createArgyleStarts();
afterEach(stopReceivers);
afterAll(stopFakes);

describe('a delivery', () => {
  test('is the pretty-printed event with a signature over exactly its bytes, sent as Argyle sends it', async () => {
    const { argyle, receiver } = await start();
    await subscribe(argyle, receiver.url, { name: 'Gehälter 🧾', secret: 'schlüssel-🔑' });
    const made = await argyle.control.uploadDocument();
    expect(await argyle.control.settled()).toBe(true);

    const [delivery] = receiver.received;
    const body = webhookBody('user_uploads.added', made, 'Gehälter 🧾');
    expect(receiver.received).toHaveLength(1);
    expect(delivery).toMatchObject({ method: 'POST', body });
    expect(Object.fromEntries(delivery?.headers ?? [])).toMatchObject({
      'Content-Type': 'application/json',
      Accept: '*/*',
      'Accept-Encoding': 'gzip',
      'User-Agent': expect.stringMatching(/^ReactorNetty\/1\.1\.\d+$/),
      'Content-Length': String(Buffer.byteLength(body)),
      'X-Argyle-Signature': await sign(body, 'schlüssel-🔑'),
    });
  });

  test('has no signature when the subscription has no secret', async () => {
    const { argyle, receiver } = await start();
    await subscribe(argyle, receiver.url, { secret: undefined });
    await argyle.control.uploadDocument();
    await argyle.control.settled();
    expect([...(receiver.received[0]?.headers.keys() ?? [])]).not.toContain('X-Argyle-Signature');
  });

  test('tells of each of the five events, once the API shows what happened', async () => {
    const { argyle, receiver } = await start();
    await subscribe(argyle, receiver.url);
    const { control } = argyle;
    const { userUpload, account } = await control.uploadDocument();
    for (const result of ['failure', 'success', 'authenticity'] as const) await control.runOcr(userUpload, { result });
    const other = await control.uploadDocument({ account });
    await control.removeAccount(account);
    await control.settled();

    const sent = receiver.received.map(({ body }) => JSON.parse(body));
    const eventsOf = (id: string) => sent.filter(({ data }) => data.user_upload === id).map(({ event }) => event);
    expect(eventsOf(userUpload).sort()).toEqual([...eventTypes].sort());
    expect(eventsOf(other.userUpload).sort()).toEqual(['user_uploads.added', 'user_uploads.removed']);
    expect((await control.readUpload(userUpload)).events).toEqual(
      ['added', 'ocr_failed', 'ocr_completed', 'ocr_authenticity', 'removed'].map((name) => `user_uploads.${name}`),
    );
  });

  test('goes to every subscription that lists the event, by name or by *, and to no deleted one', async () => {
    const { argyle, receiver } = await start();
    await subscribe(argyle, receiver.url, { name: 'named', events: ['user_uploads.added', 'accounts.connected'] });
    await subscribe(argyle, receiver.url, { name: 'all', events: ['*'] });
    await subscribe(argyle, receiver.url, { name: 'other', events: ['user_uploads.removed'] });
    const gone = await subscribe(argyle, receiver.url, { name: 'deleted' });
    await argyle.ask('DELETE', `/webhooks/${gone}`);
    await argyle.control.uploadDocument();
    await argyle.control.settled();
    expect(receiver.received.map(({ body }) => JSON.parse(body).name).sort()).toEqual(['all', 'named']);
  });

  test('shows as last_sent_at', async () => {
    const { argyle, receiver } = await start();
    const id = await subscribe(argyle, receiver.url);
    await argyle.control.uploadDocument();
    await argyle.control.settled();
    expect((await argyle.ask('GET', `/webhooks/${id}`)).body.last_sent_at).toMatch(/^\d{4}-/);
  });
});

test('an event is lost only when no subscription has acknowledged it', async () => {
  const { argyle, receiver } = await start({}, async ({ body }) => {
    const { event, name } = JSON.parse(body);
    if (name === 'taking') return 200;
    // The refusal of the removal comes last.
    while (event === 'user_uploads.removed' && (await argyle.control.state()).deliveries.acknowledged === 0)
      await wait(5);
    return 401;
  });
  const { userUpload } = await argyle.control.uploadDocument();
  await subscribe(argyle, receiver.url, { name: 'refusing' });
  await argyle.control.runOcr(userUpload, { result: 'success' });
  await subscribe(argyle, receiver.url, { name: 'taking' });
  await argyle.control.removeUpload(userUpload);
  expect(await argyle.control.settled()).toBe(true);
  expect(await argyle.control.lostEvents()).toMatchObject([
    { event: 'user_uploads.added', reason: 'unsubscribed' },
    { event: 'user_uploads.ocr_completed', reason: 'refused' },
  ]);
  expect(await argyle.control.refusedDeliveries()).toHaveLength(2);
});

test('a seeded share of deliveries is dropped, and it is known which', async () => {
  const { argyle, receiver } = await start();
  await subscribe(argyle, receiver.url);
  const dropOf = async (seed: number) => {
    await argyle.control.setFaults({ dropDeliveries: 0.3, seed });
    const before = (await argyle.control.droppedDeliveries()).length;
    const numbers = new Map<string, number>();
    for (let number = 0; number < 60; number += 1) {
      numbers.set((await argyle.control.uploadDocument()).userUpload, number);
    }
    await argyle.control.settled();
    const dropped = (await argyle.control.droppedDeliveries()).slice(before);
    return dropped.map(({ userUpload }) => numbers.get(userUpload));
  };
  const first = await dropOf(1);
  expect(await dropOf(1)).toEqual(first);
  expect(await dropOf(2)).not.toEqual(first);
  expect(first.length).toBeGreaterThan(5);
  expect(first.length).toBeLessThan(35);
  const { dropped, acknowledged } = (await argyle.control.state()).deliveries;
  expect(dropped + acknowledged).toBe(180);
  expect(receiver.received).toHaveLength(acknowledged);
  expect(await argyle.control.lostEvents()).toHaveLength(dropped);
});

test('delayed deliveries arrive in another order', async () => {
  const { argyle, receiver } = await start({ connections: 1 });
  await subscribe(argyle, receiver.url);
  await argyle.control.setFaults({ delayDeliveriesMs: 500, seed: 1 });
  const made: string[] = [];
  while (made.length < 20) made.push((await argyle.control.uploadDocument()).userUpload);
  expect(await argyle.control.settled()).toBe(true);
  const arrived = receiver.received.map(({ body }) => JSON.parse(body).data.user_upload);
  expect(new Set(arrived)).toEqual(new Set(made));
  expect(arrived).not.toEqual(made);
});

test('more deliveries than connections wait their turn, and none is lost', async () => {
  let open = 0;
  let most = 0;
  const { argyle, receiver } = await start({ connections: 3 }, async () => {
    most = Math.max(most, ++open);
    await wait(1);
    open -= 1;
    return 200;
  });
  await subscribe(argyle, receiver.url);
  await Promise.all(Array.from({ length: 100 }, () => argyle.control.uploadDocument()));
  expect(await argyle.control.settled()).toBe(true);
  expect(receiver.received).toHaveLength(100);
  expect(most).toBeLessThanOrEqual(3);
});

test('waiting for deliveries ends when told, settled or not', async () => {
  const { argyle, receiver } = await start({}, () => 'hang');
  await subscribe(argyle, receiver.url);
  await argyle.control.uploadDocument();
  expect(await argyle.control.settled(10)).toBe(false);
  expect((await argyle.control.state()).deliveries).toMatchObject({ pending: 1 });
});
