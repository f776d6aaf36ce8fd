import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { type Check, check, demand, expectAnswer, textOf } from '../check.ts';
import { missingSlots, readWhenApplied } from '../observer.ts';
import type { Answer, Delivery, Receiver } from '../receiver.ts';
import { sampleEvent, sampleUnknownEvent, sampleUpload, signatureOf, webhookBody } from '../samples.ts';

// A receiver may remember for a moment that its secret could not be read.
const maxUnreadyMs = 5_000;

const poison = '{"conformance": "poison"}';

/** Checks that the receiver loses nothing and logs nothing confidential when a service that it depends on fails. */
export const failures: readonly Check[] = [
  check('answers 503 with Retry-After while the queue is down', ['takeQueueDown'], async (receiver, observer) => {
    const restore = await observer.takeQueueDown();
    try {
      for (const event of [sampleEvent, sampleUnknownEvent]) {
        const answer = await receiver.post({ body: webhookBody(event) });
        expectAnswer(answer, 'unavailable', event);
        demand(/^\d+$/.test(answer.retryAfter ?? ''), `${event}: Retry-After is ${answer.retryAfter ?? 'missing'}`);
      }
    } finally {
      await restore();
    }
  }),
  check(
    'records a delivery that is retried after a 503',
    ['takeQueueDown', 'readRecord'],
    async (receiver, observer) => {
      const upload = sampleUpload();
      const body = webhookBody(sampleEvent, upload);
      const restore = await observer.takeQueueDown();
      await receiver.post({ body }).finally(restore);
      expectAnswer(await receiver.post({ body }), 'accepted', 'the retry');
      const record = await readWhenApplied(observer, upload.userUpload, [sampleEvent]);
      demand(missingSlots(record, [sampleEvent]).length === 0, 'there is no record');
    },
  ),
  check('does not answer 200 before the queue has the message', ['holdQueue'], async (receiver, observer) => {
    const held = await observer.holdQueue();
    try {
      let answered = 'nothing yet';
      const delivery = receiver.post({ body: webhookBody(sampleEvent) }).then((answer) => {
        answered = textOf(answer);
        return answer;
      });
      await Promise.race([held.reached, delivery]);
      // An answer that the receiver sent before these round trips arrives before they end.
      for (let times = 0; times < 3; times += 1) await receiver.roundTrip();
      demand(!answered.startsWith('200'), `answered ${answered} before the queue answered`);
      expectAnswer(await delivery, 'unavailable', 'a queue that does not answer');
    } finally {
      await held.release();
    }
  }),
  check('accepts nothing while it has no secret', ['takeSecretAway'], async (receiver, observer) => {
    const body = webhookBody(sampleEvent);
    const restore = await observer.takeSecretAway();
    try {
      for (const [what, secret] of Object.entries({ 'an empty secret': '', 'the right secret': receiver.secret })) {
        const answer = await receiver.post({ body, signature: signatureOf(body, secret) });
        expectAnswer(answer, 'unavailable', `signed with ${what}`);
      }
    } finally {
      await restore();
    }
    expectAnswer(await postUntilReady(receiver, { body }), 'accepted', 'once the secret is back');
  }),
  check(
    'accepts deliveries while the store of its secret does not answer',
    ['stallSecretStore'],
    async (receiver, observer) => {
      const body = webhookBody(sampleEvent);
      // Now every process of the receiver that answers these deliveries has its secret.
      const answers = await Promise.all(Array.from({ length: 8 }, () => postUntilReady(receiver, { body })));
      for (const answer of answers) expectAnswer(answer, 'accepted', 'before');
      const restore = await observer.stallSecretStore();
      try {
        // A wrong signature may make a receiver read its secret again.
        const forged = { body, signature: signatureOf(body, 'another secret') };
        const refused = await Promise.all([forged, forged, forged].map(receiver.post));
        demand(
          refused.every(({ code }) => code === 401 || code === 503),
          'a forgery was accepted',
        );
        for (let times = 0; times < 3; times += 1)
          expectAnswer(await receiver.post({ body }), 'accepted', 'a genuine delivery');
      } finally {
        await restore();
      }
    },
  ),
  check('applies the rest of a batch with a poison message', ['enqueue', 'readRecord'], async (_, observer) => {
    const uploads = Array.from({ length: 6 }, () => sampleUpload());
    const good = uploads.map((upload) => webhookBody(sampleEvent, upload));
    await observer.enqueue(sampleEvent, good.toSpliced(3, 0, poison));
    for (const { userUpload } of uploads) {
      const record = await readWhenApplied(observer, userUpload, [sampleEvent]);
      demand(missingSlots(record, [sampleEvent]).length === 0, 'a message that came with poison was not applied');
    }
  }),
  check(
    'moves only the poison message to the dead-letter queue',
    ['enqueue', 'readDeadLetters', 'settled'],
    async (_, observer) => {
      const own = `{"conformance": "poison ${randomUUID()}"}`;
      const readDead = async () =>
        (await observer.readDeadLetters(sampleEvent)).map((body) => Buffer.from(body).toString());
      const before = new Set(await readDead());
      await observer.enqueue(sampleEvent, [webhookBody(sampleEvent), own, webhookBody(sampleEvent)]);
      await observer.settled();
      const dead = (await readDead()).filter((body) => !before.has(body));
      demand(dead.join() === own, `${dead.length} messages are there, expected only the poison`);
    },
  ),
  check('logs no body, signature or secret', ['readLog'], async (receiver, observer) => {
    const canary = `canary-${randomUUID()}`;
    const bodies = [
      webhookBody(sampleEvent, undefined, canary),
      webhookBody(sampleUnknownEvent, undefined, canary),
      `{"event": "${canary}`,
      webhookBody(sampleEvent, { ...sampleUpload(), user: canary }),
    ];
    const signatures = bodies.flatMap((body) => [signatureOf(body, receiver.secret), signatureOf(body, canary)]);
    for (const body of bodies) await receiver.post({ body });
    for (const body of bodies) await receiver.post({ body, signature: signatureOf(body, canary) });
    await observer.settled?.();
    const confidential = [canary, ...signatures, receiver.secret];
    const leaks = (await observer.readLog()).filter((line) => confidential.some((text) => line.includes(text)));
    demand(leaks.length === 0, `${leaks.length} log lines contain confidential data`);
  }),
];

/** Sends a delivery, and again while the receiver is not ready. Returns the last answer. */
async function postUntilReady(receiver: Receiver, delivery: Delivery): Promise<Answer> {
  const endsMs = performance.now() + maxUnreadyMs;
  for (;;) {
    const answer = await receiver.post(delivery);
    if (answer.code !== 503 || performance.now() > endsMs) return answer;
    await wait(100);
  }
}
