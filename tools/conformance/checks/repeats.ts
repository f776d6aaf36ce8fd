import { events, eventTypes } from '../../../functions/domain/events.ts';
import { missingSlots, readWhenApplied } from '../applied.ts';
import { type Check, check, demand, expectAnswer } from '../check.ts';
import { removalEvent, sampleEvent, sampleUpload, webhookBody } from '../samples.ts';
import { sendAtOnce } from '../send-at-once.ts';

const atOnce = 8;

/** A retry is byte-identical to the first try, and nothing tells one from the other. */
export const repeats: readonly Check[] = [
  check('answers a repeat like the first delivery', [], async (receiver) => {
    for (const event of [sampleEvent, removalEvent]) {
      const body = webhookBody(event);
      for (const time of ['the first', 'the second', 'the third']) {
        expectAnswer(await receiver.post(body), 'accepted', `${time} ${event}`);
      }
    }
  }),

  check('answers repeats at the same time alike', [], async (receiver) => {
    const body = webhookBody(sampleEvent);
    const answers = await sendAtOnce(
      receiver,
      Array.from({ length: atOnce }, () => body),
    );
    for (const answer of answers) expectAnswer(answer, 'accepted', `one of ${atOnce}`);
  }),

  check('changes nothing by a repeat', ['readRecord'], async (receiver, observer) => {
    for (const event of [sampleEvent, removalEvent]) {
      const upload = sampleUpload();
      const { slot } = events[event];
      await receiver.post(webhookBody(event, upload));
      const first = (await readWhenApplied(observer, upload.userUpload, [event]))[slot];
      demand(first !== undefined, `there is no ${slot}`);
      await receiver.post(webhookBody(event, upload));
      // What was sent after the repeat is there, so the repeat had its time even where nobody knows what is queued.
      const later = eventTypes.filter((other) => other !== event);
      for (const other of later) await receiver.post(webhookBody(other, upload));
      const second = (await readWhenApplied(observer, upload.userUpload, later))[slot];
      demand(first === second, `${slot} was ${first}, and is ${second} after a repeat`);
    }
  }),

  check('keeps one whole record when all comes at once, and repeated', ['readRecord'], async (receiver, observer) => {
    const upload = sampleUpload();
    const bodies = [...eventTypes, ...eventTypes].map((event) => webhookBody(event, upload));
    await sendAtOnce(receiver, bodies);
    const missing = missingSlots(await readWhenApplied(observer, upload.userUpload, eventTypes), eventTypes);
    demand(missing.length === 0, `the record lacks ${missing.join(', ')}`);
  }),
];
