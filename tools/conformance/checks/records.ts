import { type EventType, events, eventTypes } from '../../../functions/domain/events.ts';
import { answerCheck, type Check, check, demand, expectAnswer, includesBody } from '../check.ts';
import { missingSlots, readWhenApplied } from '../observer.ts';
import { foreignId, removalEvent, sampleEvent, sampleUpload, webhookBody } from '../samples.ts';
import { forgeriesOf } from './signatures.ts';
import { sendAtOnce } from './transport.ts';

// Argyle promises no order: the catalogue's order, its reverse, and each other event first.
const orders: readonly (readonly EventType[])[] = [
  ...eventTypes.map((_, index) => [...eventTypes.slice(index), ...eventTypes.slice(0, index)]),
  eventTypes.toReversed(),
];

/** Checks that the receiver writes what it accepts, and nothing else, to the record, regardless of order and repeats. */
export const records: readonly Check[] = [
  answerCheck('answers a repeated delivery like the first', 'accepted', () => {
    const deliveries = [sampleEvent, removalEvent].flatMap((event) => {
      const body = webhookBody(event);
      return ['first', 'second', 'third'].map((time) => [`the ${time} ${event}`, { body }]);
    });
    return Object.fromEntries(deliveries);
  }),
  check('answers concurrent repeats alike', [], async (receiver) => {
    const answers = await sendAtOnce(receiver, Array(8).fill(webhookBody(sampleEvent)));
    for (const answer of answers) expectAnswer(answer, 'accepted', 'one of 8');
  }),
  check('changes no record on a repeat', ['readRecord'], async (receiver, observer) => {
    for (const event of [sampleEvent, removalEvent]) {
      const upload = sampleUpload();
      const { slot } = events[event];
      await receiver.post({ body: webhookBody(event, upload) });
      const first = (await readWhenApplied(observer, upload.userUpload, [event]))[slot];
      demand(first !== undefined, `there is no ${slot}`);
      await receiver.post({ body: webhookBody(event, upload) });
      // Once these later events are in the record, the repeat has very likely been processed, too.
      const later = eventTypes.filter((other) => other !== event);
      for (const other of later) await receiver.post({ body: webhookBody(other, upload) });
      const second = (await readWhenApplied(observer, upload.userUpload, later))[slot];
      demand(first === second, `${slot} was ${first}, and is ${second} after a repeat`);
    }
  }),
  check('writes one complete record from concurrent repeats', ['readRecord'], async (receiver, observer) => {
    const upload = sampleUpload();
    await sendAtOnce(
      receiver,
      [...eventTypes, ...eventTypes].map((event) => webhookBody(event, upload)),
    );
    const missing = missingSlots(await readWhenApplied(observer, upload.userUpload, eventTypes), eventTypes);
    demand(missing.length === 0, `the record lacks ${missing.join(', ')}`);
  }),
  check('records each event of the catalogue in its slot', ['readRecord'], async (receiver, observer) => {
    for (const event of eventTypes) {
      const upload = sampleUpload(foreignId);
      await receiver.post({ body: webhookBody(event, upload) });
      const record = await readWhenApplied(observer, upload.userUpload, [event]);
      const slots = eventTypes.map((other) => events[other].slot).filter((slot) => record[slot] !== undefined);
      demand(slots.join() === events[event].slot, `${event} wrote ${slots.join(', ') || 'no slot'}`);
      const { userUpload, account, user } = record;
      const isWhole = userUpload === upload.userUpload && account === upload.account && user === upload.user;
      demand(isWhole, `${event}: the record has other ids than the webhook`);
    }
  }),
  check('writes the same record in any order of events', ['readRecord'], async (receiver, observer) => {
    for (const order of orders) {
      const upload = sampleUpload();
      for (const event of order) {
        await receiver.post({ body: webhookBody(event, upload) });
        await readWhenApplied(observer, upload.userUpload, [event]);
      }
      const missing = missingSlots(await readWhenApplied(observer, upload.userUpload, eventTypes), eventTypes);
      demand(missing.length === 0, `after ${order.join(', ')} the record lacks ${missing.join(', ')}`);
    }
  }),
  check('keeps a removal after later events', ['readRecord'], async (receiver, observer) => {
    const upload = sampleUpload();
    const { slot } = events[removalEvent];
    await receiver.post({ body: webhookBody(removalEvent, upload) });
    const removed = (await readWhenApplied(observer, upload.userUpload, [removalEvent]))[slot];
    demand(removed !== undefined, `there is no ${slot}`);
    for (const event of eventTypes) {
      await receiver.post({ body: webhookBody(event, upload) });
      const record = await readWhenApplied(observer, upload.userUpload, [event, removalEvent]);
      demand(record[slot] === removed, `${slot} was ${removed}, and is ${record[slot]} after ${event}`);
    }
  }),
  check(
    'keeps the owner of a document when an event names another one',
    ['readRecord', 'readDeadLetters', 'settled'],
    async (receiver, observer) => {
      const upload = sampleUpload();
      const conflicting = webhookBody(removalEvent, { ...sampleUpload(), userUpload: upload.userUpload });
      await receiver.post({ body: webhookBody(sampleEvent, upload) });
      await observer.settled();
      await receiver.post({ body: conflicting });
      const record = await readWhenApplied(observer, upload.userUpload, [sampleEvent]);
      const isKept = record.account === upload.account && record.user === upload.user;
      demand(isKept, 'the record has the owner of the second event');
      demand(record[events[removalEvent].slot] === undefined, 'an event of another owner changed the record');
      const dead = await observer.readDeadLetters(removalEvent);
      demand(includesBody(dead, conflicting), 'the event of another owner is not in the dead-letter queue');
    },
  ),
  check('records no refused delivery', ['readRecord'], async (receiver, observer) => {
    const forgeries = Object.entries(forgeriesOf(receiver.secret));
    for (const [, forgery] of forgeries) await receiver.post(forgery);
    const genuine = sampleUpload();
    await receiver.post({ body: webhookBody(sampleEvent, genuine) });
    await readWhenApplied(observer, genuine.userUpload, [sampleEvent]);
    for (const [how, { body }] of forgeries) {
      const { data } = JSON.parse(body) as { data: { user_upload: string } };
      demand((await observer.readRecord(data.user_upload)) === undefined, `there is a record of a forgery: ${how}`);
    }
  }),
  check('queues no refused delivery', ['readQueued', 'readQuarantine'], async (receiver, observer) => {
    const forgeries = Object.entries(forgeriesOf(receiver.secret));
    for (const [, forgery] of forgeries) await receiver.post(forgery);
    const stored = [...(await observer.readQueued()), ...(await observer.readQuarantine())];
    for (const [how, { body }] of forgeries) demand(!includesBody(stored, body), `a forgery is on a queue: ${how}`);
  }),
];
