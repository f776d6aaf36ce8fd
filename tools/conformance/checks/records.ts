import { type EventType, events, eventTypes } from '../../../functions/domain/events.ts';
import { missingSlots, readWhenApplied } from '../applied.ts';
import { type Check, check, demand, holds } from '../check.ts';
import { forgeriesOf } from '../forgeries.ts';
import { foreignId, removalEvent, sampleEvent, sampleUpload, webhookBody } from '../samples.ts';

// The catalogue's order, its reverse, and each other event first: Argyle promises none.
const orders: readonly (readonly EventType[])[] = [
  ...eventTypes.map((_, index) => [...eventTypes.slice(index), ...eventTypes.slice(0, index)]),
  eventTypes.toReversed(),
];

/** What was answered 200 is in the record of its document, and nothing else is. */
export const records: readonly Check[] = [
  check('records each event of the catalogue in its slot', ['readRecord'], async (receiver, observer) => {
    for (const event of eventTypes) {
      const upload = sampleUpload();
      await receiver.post(webhookBody(event, upload));
      const record = await readWhenApplied(observer, upload.userUpload, [event]);
      const slots = eventTypes.map((other) => events[other].slot).filter((slot) => record[slot] !== undefined);
      demand(slots.join() === events[event].slot, `${event} wrote ${slots.join(', ') || 'no slot'}`);
      const { userUpload, account, user } = record;
      const isWhole = userUpload === upload.userUpload && account === upload.account && user === upload.user;
      demand(isWhole, `${event}: the record has other ids than the webhook`);
    }
  }),

  check('records documents whose ids are no RFC UUIDs', ['readRecord'], async (receiver, observer) => {
    const upload = sampleUpload(foreignId);
    await receiver.post(webhookBody(sampleEvent, upload));
    const record = await readWhenApplied(observer, upload.userUpload, [sampleEvent]);
    demand(missingSlots(record, [sampleEvent]).length === 0, 'there is no record');
  }),

  check('ends in the same record in any order', ['readRecord'], async (receiver, observer) => {
    for (const order of orders) {
      const upload = sampleUpload();
      for (const event of order) {
        await receiver.post(webhookBody(event, upload));
        await readWhenApplied(observer, upload.userUpload, [event]);
      }
      const missing = missingSlots(await readWhenApplied(observer, upload.userUpload, eventTypes), eventTypes);
      demand(missing.length === 0, `after ${order.join(', ')} the record lacks ${missing.join(', ')}`);
    }
  }),

  check('keeps a removal, whatever comes after it', ['readRecord'], async (receiver, observer) => {
    const upload = sampleUpload();
    const { slot } = events[removalEvent];
    await receiver.post(webhookBody(removalEvent, upload));
    const removed = (await readWhenApplied(observer, upload.userUpload, [removalEvent]))[slot];
    demand(removed !== undefined, `there is no ${slot}`);
    for (const event of eventTypes) {
      await receiver.post(webhookBody(event, upload));
      const record = await readWhenApplied(observer, upload.userUpload, [event, removalEvent]);
      demand(record[slot] === removed, `${slot} was ${removed}, and is ${record[slot]} after ${event}`);
    }
  }),

  check('records nothing of what it refuses', ['readRecord'], async (receiver, observer) => {
    const forgeries = forgeriesOf(receiver.secret);
    for (const { body, signature } of forgeries) await receiver.post(body, { signature });
    const genuine = sampleUpload();
    await receiver.post(webhookBody(sampleEvent, genuine));
    await readWhenApplied(observer, genuine.userUpload, [sampleEvent]);
    for (const { how, body } of forgeries) {
      const { data } = JSON.parse(body) as { data: { user_upload: string } };
      demand((await observer.readRecord(data.user_upload)) === undefined, `there is a record of a forgery: ${how}`);
    }
  }),

  check('queues nothing of what it refuses', ['readQueued', 'readQuarantine'], async (receiver, observer) => {
    const forgeries = forgeriesOf(receiver.secret);
    for (const { body, signature } of forgeries) await receiver.post(body, { signature });
    const kept = [...(await observer.readQueued()), ...(await observer.readQuarantine())];
    for (const { how, body } of forgeries) demand(!holds(kept, body), `a forgery is on a queue: ${how}`);
  }),
];
