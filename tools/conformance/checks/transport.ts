import { setTimeout as wait } from 'node:timers/promises';
import { answerCheck, type Check, check, demand, expectAnswer, textOf } from '../check.ts';
import { readWhenApplied } from '../observer.ts';
import type { Answer, Receiver } from '../receiver.ts';
import { bodyOfSize, sampleEvent, sampleUpload, webhookBody } from '../samples.ts';

// The body limit that docs/answers.md documents.
const limitBytes = 512 * 1024;
// More than the 10 MB that API Gateway accepts.
const hugeBytes = 11 * 1024 * 1024;
const connections = 32;
const pieces = 8;

/** Checks that the receiver handles everything that HTTP allows, and broken or slow connections. */
export const transport: readonly Check[] = [
  answerCheck('accepts a body of exactly 512 KiB', 'accepted', () => ({ '512 KiB': { body: bodyOfSize(limitBytes) } })),
  answerCheck('refuses a body of 512 KiB and one byte', 'too_large', () => {
    const body = bodyOfSize(limitBytes + 1);
    return { 'one byte more': { body }, 'one byte more, in chunks': { body, isChunked: true } };
  }),
  check('survives a body of 11 MiB', [], async (receiver) => {
    // A receiver may close the connection before it has read the whole body, instead of an answer.
    const huge = { body: Buffer.alloc(hugeBytes, ' '), signature: null };
    const answer = await receiver.post(huge).catch(() => undefined);
    const isRefused = answer === undefined || (answer.code >= 400 && answer.code < 500);
    demand(isRefused, `11 MiB: answered ${answer && textOf(answer)}, expected 413`);
    expectAnswer(await receiver.post({ body: webhookBody(sampleEvent) }), 'accepted', 'the next delivery');
  }),
  check('refuses other methods', [], async (receiver) => {
    for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
      const { code } = await receiver.post({ body: webhookBody(sampleEvent), method });
      demand(code === 404 || code === 405, `${method}: answered ${code}, expected 404 or 405`);
    }
  }),
  check('refuses other paths', [], async (receiver) => {
    for (const pathSuffix of ['/elsewhere', 'x']) {
      const { code } = await receiver.post({ body: webhookBody(sampleEvent), pathSuffix });
      demand(code === 404, `${pathSuffix}: answered ${code}, expected 404`);
    }
  }),
  check('accepts a slow body, and serves other senders meanwhile', [], async (receiver) => {
    const body = Buffer.from(webhookBody(sampleEvent));
    const size = Math.ceil(body.length / pieces);
    const slow = receiver.open(body);
    try {
      for (let start = 0; start < size * (pieces - 1); start += size) {
        await slow.write(body.subarray(start, start + size));
        await wait(receiver.pauseMs);
        await receiver.roundTrip();
      }
      expectAnswer(await receiver.post({ body: webhookBody(sampleEvent) }), 'accepted', 'another sender meanwhile');
      expectAnswer(await slow.end(body.subarray(size * (pieces - 1))), 'accepted', 'the slow sender');
    } finally {
      slow.cancel();
    }
  }),
  check('records no body that ends early', ['readRecord'], async (receiver, observer) => {
    const [broken, whole] = [sampleUpload(), sampleUpload()];
    // The bytes that arrive are signed, so only the Content-Length shows that one is missing.
    const codes = await receiver.breakOff(webhookBody(sampleEvent, broken)).catch((): readonly number[] => []);
    demand(!codes.includes(200), 'it was answered 200');
    await receiver.post({ body: webhookBody(sampleEvent, whole) });
    await readWhenApplied(observer, whole.userUpload, [sampleEvent]);
    demand((await observer.readRecord(broken.userUpload)) === undefined, 'there is a record of it');
  }),
  check('verifies each request of a connection', [], async (receiver) => {
    const genuine = () => ({ body: webhookBody(sampleEvent) });
    const forged = () => ({ ...genuine(), signature: '0'.repeat(128) });
    const deliveries = [genuine(), forged(), genuine(), forged(), genuine(), forged()];
    const codes = await receiver.pipeline(deliveries);
    // HTTP allows a server to close the connection after any answer. The answers must be correct and in order.
    const expected = [200, 401, 200, 401, 200, 401].slice(0, Math.max(1, codes.length));
    demand(codes.join() === expected.join(), `answered ${codes.join(', ')}, expected ${expected.join(', ')}`);
  }),
  check(`accepts ${connections} connections at once`, [], async (receiver) => {
    const bodies = Array.from({ length: connections }, () => webhookBody(sampleEvent));
    for (const answer of await sendAtOnce(receiver, bodies)) expectAnswer(answer, 'accepted', `one of ${connections}`);
  }),
];

/** Sends each body over its own connection. All requests are in progress before the last byte of any is sent. */
export async function sendAtOnce(receiver: Receiver, bodies: readonly string[]): Promise<readonly Answer[]> {
  const deliveries = bodies.map((body) => {
    const bytes = Buffer.from(body);
    return { bytes, delivery: receiver.open(bytes) };
  });
  try {
    await Promise.all(deliveries.map(({ bytes, delivery }) => delivery.write(bytes.subarray(0, -1))));
    await receiver.roundTrip();
    return await Promise.all(deliveries.map(({ bytes, delivery }) => delivery.end(bytes.subarray(-1))));
  } finally {
    for (const { delivery } of deliveries) delivery.cancel();
  }
}
