import { setTimeout as wait } from 'node:timers/promises';
import { readWhenApplied } from '../applied.ts';
import { type Check, check, demand, expectAnswer, textOf } from '../check.ts';
import { bodyOfSize, sampleEvent, sampleUpload, signatureOf, webhookBody } from '../samples.ts';
import { sendAtOnce } from '../send-at-once.ts';

// README.md's limit of a body.
const limitBytes = 512 * 1024;
// Above what API Gateway itself takes.
const hugeBytes = 11 * 1024 * 1024;
const connections = 32;
const pieces = 8;

/** What HTTP allows and a network does. */
export const transport: readonly Check[] = [
  check('accepts a body of exactly 512 KiB', [], async (receiver) => {
    expectAnswer(await receiver.post(bodyOfSize(limitBytes)), 'accepted', '512 KiB');
  }),

  check('refuses one byte more as too large', [], async (receiver) => {
    const body = bodyOfSize(limitBytes + 1);
    expectAnswer(await receiver.post(body), 'too_large', 'one byte more');
    expectAnswer(await receiver.post(body, { isChunked: true }), 'too_large', 'one byte more, in chunks');
  }),

  check('survives a body of 11 MiB', [], async (receiver) => {
    // Whoever refuses early closes the connection on the rest: that is an answer as well.
    const answer = await receiver.post(Buffer.alloc(hugeBytes, ' '), { signature: null }).catch(() => undefined);
    const isRefused = answer === undefined || (answer.code >= 400 && answer.code < 500);
    demand(isRefused, `11 MiB: answered ${answer && textOf(answer)}, expected 413`);
    expectAnswer(await receiver.post(webhookBody(sampleEvent)), 'accepted', 'the next delivery');
  }),

  check('refuses other methods', [], async (receiver) => {
    for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
      const { code } = await receiver.post(webhookBody(sampleEvent), { method });
      demand(code === 404 || code === 405, `${method}: answered ${code}, expected 404 or 405`);
    }
  }),

  check('refuses other paths', [], async (receiver) => {
    for (const pathSuffix of ['/elsewhere', 'x']) {
      const { code } = await receiver.post(webhookBody(sampleEvent), { pathSuffix });
      demand(code === 404, `${pathSuffix}: answered ${code}, expected 404`);
    }
  }),

  check('takes a body that comes slowly, and serves others meanwhile', [], async (receiver) => {
    const body = Buffer.from(webhookBody(sampleEvent));
    const size = Math.ceil(body.length / pieces);
    const slow = receiver.open(body);
    try {
      for (let start = 0; start < size * (pieces - 1); start += size) {
        await slow.write(body.subarray(start, start + size));
        await wait(receiver.pauseMs);
        await receiver.roundTrip();
      }
      expectAnswer(await receiver.post(webhookBody(sampleEvent)), 'accepted', 'another sender meanwhile');
      expectAnswer(await slow.end(body.subarray(size * (pieces - 1))), 'accepted', 'the slow sender');
    } finally {
      slow.cancel();
    }
  }),

  check('records nothing of a body that ends early', ['readRecord'], async (receiver, observer) => {
    const [broken, whole] = [sampleUpload(), sampleUpload()];
    // Signed as far as it goes: only its length says that something is missing.
    const codes = await receiver.breakOff(webhookBody(sampleEvent, broken)).catch((): readonly number[] => []);
    demand(!codes.includes(200), 'it was answered 200');
    await receiver.post(webhookBody(sampleEvent, whole));
    await readWhenApplied(observer, whole.userUpload, [sampleEvent]);
    demand((await observer.readRecord(broken.userUpload)) === undefined, 'there is a record of it');
  }),

  check('judges each of several requests on one connection by itself', [], async (receiver) => {
    const deliveries = Array.from({ length: 6 }, (_, index) => {
      const body = webhookBody(sampleEvent);
      return { body, signature: index % 2 === 0 ? signatureOf(body, receiver.secret) : '0'.repeat(128) };
    });
    const codes = await receiver.pipeline(deliveries);
    // HTTP lets a server close the connection after any answer; what it answers must be right, and in order.
    const expected = [200, 401, 200, 401, 200, 401].slice(0, Math.max(1, codes.length));
    demand(codes.join() === expected.join(), `answered ${codes.join(', ')}, expected ${expected.join(', ')}`);
  }),

  check(`takes ${connections} connections at once`, [], async (receiver) => {
    const bodies = Array.from({ length: connections }, () => webhookBody(sampleEvent));
    for (const answer of await sendAtOnce(receiver, bodies)) expectAnswer(answer, 'accepted', `one of ${connections}`);
  }),
];
