import { type EventType, eventTypes } from '../../../functions/domain/events.ts';
import type { ArgyleControl } from '../../../tools/fake-argyle/control.ts';
import { idFrom } from '../../../tools/fake-argyle/ids.ts';
import { changeEvents, type OcrRun, type UserUpload } from '../../../tools/fake-argyle/user-upload.ts';
import type { KnownUpload } from '../../../tools/fake-argyle/user-uploads.ts';
import { seededRandom, shuffled } from '../../support/builders/seeded-random.ts';
import { type UploadIds, webhookBody } from '../../support/fakes/argyle-sender.ts';

/** One webhook that Argyle sends, and its outcome. Times are epoch milliseconds. */
export type Delivery = {
  readonly event: EventType | 'unknown';
  readonly ids: UploadIds;
  readonly body: string;
  /** Whether both tries are lost on the way. */
  isLost: boolean;
  firstSentMs: number;
  acknowledgedMs?: number;
};

/** An event of a document at Argyle, with all of its deliveries. */
export type UploadEvent = {
  readonly event: EventType;
  readonly ids: UploadIds;
  /** Causes the event at the fake Argyle. */
  readonly cause: (argyle: ArgyleControl) => Promise<KnownUpload>;
  readonly deliveries: Delivery[];
  /** The document at Argyle after the event; undefined before the event, and after a removal. */
  upload?: UserUpload;
};

/** The events of one document, in order. */
export type History = readonly UploadEvent[];

/** Either an event at Argyle or the sending of a webhook. */
export type Step = { readonly uploadEvent: UploadEvent } | { readonly delivery: Delivery };

// In deliveries; most are far shorter. Argyle reorders webhooks that are close together, and a document changes while
// its webhooks are under way and while Argyle is asked for it.
const maxDelay = 400;
const maxPause = 200;
const unknownRate = 0.02;
const repeatRate = 0.33;
const lossRate = 0.003;

/**
 * Creates histories of documents with at least `count` deliveries in total, and the steps in which events happen and
 * webhooks are sent. Of each type at least one event is lost: none of its deliveries arrives.
 */
export function createHistories(count: number, seed: number) {
  const random = seededRandom(seed);
  const timeline = createTimeline(random);
  const histories: History[] = [];
  while (timeline.sent() < count) {
    const ids = idsFrom(`${seed} ${histories.length}`);
    let position = timeline.sent();
    const history = randomEvents(ids, random).map((uploadEvent) => {
      timeline.place(position, { uploadEvent });
      const deliveries = random() < repeatRate ? 2 : 1;
      for (let sent = 0; sent < deliveries; sent += 1)
        uploadEvent.deliveries.push(timeline.send(uploadEvent.event, ids, position));
      position += random() ** 3 * maxPause;
      return uploadEvent;
    });
    if (random() < unknownRate) timeline.send('unknown', ids, position);
    histories.push(history);
  }
  loseEvents(histories.flat(), random);
  return { histories, steps: timeline.steps() };
}

/** Returns the deliveries among the steps. */
export function deliveriesIn(steps: readonly Step[]): readonly Delivery[] {
  return steps.flatMap((step) => ('delivery' in step ? step.delivery : []));
}

function createTimeline(random: () => number) {
  const placed: { readonly position: number; readonly step: Step }[] = [];
  let sent = 0;
  const place = (position: number, step: Step): void => void placed.push({ position, step });
  return {
    place,
    send: (event: Delivery['event'], ids: UploadIds, position: number): Delivery => {
      const body = webhookBody(event === 'unknown' ? 'users.fully_synced' : event, ids);
      const delivery = { event, ids, body, isLost: false, firstSentMs: 0 };
      place(position + random() ** 3 * maxDelay, { delivery });
      sent += 1;
      return delivery;
    },
    sent: () => sent,
    // The sort is stable: an event stays before its deliveries.
    steps: (): readonly Step[] => placed.sort((one, other) => one.position - other.position).map(({ step }) => step),
  };
}

function idsFrom(name: string): UploadIds {
  return { userUpload: idFrom(`upload ${name}`), account: idFrom(`account ${name}`), user: idFrom(`user ${name}`) };
}

function randomEvents(ids: UploadIds, random: () => number): UploadEvent[] {
  const { userUpload } = ids;
  const on = (event: EventType, cause: UploadEvent['cause']): UploadEvent => ({ event, ids, cause, deliveries: [] });
  const ocr = (run: OcrRun) => on(changeEvents[run.result], (argyle) => argyle.runOcr(userUpload, run));
  const error = random() < 0.5 ? 'The page is blurred.' : { code: 'unreadable', pages: [1] };
  const fileName = `document ${Math.floor(random() * 1e6)}.pdf`;
  return [
    on(changeEvents.upload, (argyle) => argyle.uploadDocument({ ...ids, fileName })),
    ...(random() < 0.4 ? [ocr({ result: 'failure', error })] : []),
    ...(random() < 0.6 ? [ocr({ result: 'success', documentType: 'W-2' })] : []),
    ...(random() < 0.5 ? [ocr({ result: 'authenticity', score: Math.floor(random() * 101) })] : []),
    ...(random() < 0.3 ? [on(changeEvents.removal, (argyle) => argyle.removeUpload(userUpload))] : []),
  ];
}

function loseEvents(uploadEvents: readonly UploadEvent[], random: () => number): void {
  for (const event of eventTypes) {
    const all = uploadEvents.filter((uploadEvent) => uploadEvent.event === event);
    const lost = shuffled(all, random).slice(0, Math.ceil(all.length * lossRate));
    for (const { deliveries } of lost) for (const delivery of deliveries) delivery.isLost = true;
  }
}
