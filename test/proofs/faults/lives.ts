import { type EventType, eventTypes } from '../../../functions/domain/events.ts';
import type { ArgyleControl } from '../../../tools/fake-argyle/control.ts';
import { idFrom } from '../../../tools/fake-argyle/ids.ts';
import { eventsOfLife, type OcrRun, type UserUpload } from '../../../tools/fake-argyle/user-upload.ts';
import type { KnownUpload } from '../../../tools/fake-argyle/user-uploads.ts';
import { seededRandom, shuffled } from '../../support/builders/seeded-random.ts';
import { type UploadIds, webhookBody } from '../../support/fakes/argyle-sender.ts';

/** One webhook that Argyle has to deliver, and what became of it. Times are epoch milliseconds. */
export type Delivery = {
  readonly event: EventType | 'unknown';
  readonly ids: UploadIds;
  readonly body: string;
  /** Whether neither of its tries shall reach us. */
  isLost: boolean;
  firstSentMs: number;
  acknowledgedMs?: number;
};

/** Something that happens to a document at Argyle, and all deliveries that tell of it. */
export type Happening = {
  readonly event: EventType;
  readonly ids: UploadIds;
  readonly happen: (argyle: ArgyleControl) => Promise<KnownUpload>;
  readonly deliveries: Delivery[];
  /** The document as Argyle has it from then on; absent before it happened, and after a removal. */
  upload?: UserUpload;
};

/** What comes next: something happens at Argyle, or a webhook is sent. */
export type Step = { readonly happening: Happening } | { readonly delivery: Delivery };

type Act = Pick<Happening, 'event' | 'happen'>;

// In deliveries; most are far shorter. Argyle reorders what is close together, and a document goes on living while webhooks
// of it are under way and Argyle is asked for it.
const longestDelay = 400;
const longestPause = 200;
const unknownShare = 0.02;
const repeatedShare = 0.33;
const lostShare = 0.003;

/**
 * Makes the lives of documents with `count` deliveries in all, and the steps in which they happen and are sent. Of each
 * type some events are lost on the way for certain: none of their deliveries arrives.
 */
export function makeLives(count: number, seed: number) {
  const random = seededRandom(seed);
  const timeline = createTimeline(random);
  const lives: Happening[][] = [];
  const isFull = () => timeline.sent() === count;
  while (!isFull()) {
    const ids = idsOf(`${seed} ${lives.length}`);
    const life: Happening[] = [];
    let position = timeline.sent();
    for (const act of actsOf(ids, random)) {
      if (isFull()) break;
      const happening: Happening = { ids, ...act, deliveries: [] };
      timeline.happen(happening, position);
      happening.deliveries.push(timeline.send(act.event, ids, position));
      if (!isFull() && random() < repeatedShare) happening.deliveries.push(timeline.send(act.event, ids, position));
      life.push(happening);
      position += random() ** 3 * longestPause;
    }
    if (!isFull() && random() < unknownShare) timeline.send('unknown', ids, position);
    lives.push(life);
  }
  loseSome(lives.flat(), random);
  return { lives, steps: timeline.steps() };
}

/** The webhooks among the steps. */
export function deliveriesIn(steps: readonly Step[]): readonly Delivery[] {
  return steps.flatMap((step) => ('delivery' in step ? step.delivery : []));
}

function createTimeline(random: () => number) {
  const placed: { readonly position: number; readonly step: Step }[] = [];
  let sent = 0;
  return {
    happen: (happening: Happening, position: number): void => void placed.push({ position, step: { happening } }),
    send: (event: Delivery['event'], ids: UploadIds, position: number): Delivery => {
      const body = webhookBody(event === 'unknown' ? 'users.fully_synced' : event, ids);
      const delivery = { event, ids, body, isLost: false, firstSentMs: 0 };
      placed.push({ position: position + random() ** 3 * longestDelay, step: { delivery } });
      sent += 1;
      return delivery;
    },
    sent: () => sent,
    // The sort is stable: what was placed first, the happening before its deliveries, stays first.
    steps: (): readonly Step[] => placed.sort((one, other) => one.position - other.position).map(({ step }) => step),
  };
}

function idsOf(name: string): UploadIds {
  return { userUpload: idFrom(`upload ${name}`), account: idFrom(`account ${name}`), user: idFrom(`user ${name}`) };
}

function actsOf(ids: UploadIds, random: () => number): readonly Act[] {
  const { userUpload } = ids;
  const ocr = (run: OcrRun): Act => ({
    event: eventsOfLife[run.result],
    happen: (argyle) => argyle.runOcr(userUpload, run),
  });
  const error = random() < 0.5 ? 'The page is blurred.' : { code: 'unreadable', pages: [1] };
  const fileName = `document ${Math.floor(random() * 1e6)}.pdf`;
  return [
    { event: eventsOfLife.upload, happen: (argyle) => argyle.uploadDocument({ ...ids, fileName }) },
    ...(random() < 0.4 ? [ocr({ result: 'failure', error })] : []),
    ...(random() < 0.6 ? [ocr({ result: 'success', documentType: 'W-2' })] : []),
    ...(random() < 0.5 ? [ocr({ result: 'authenticity', score: Math.floor(random() * 101) })] : []),
    ...(random() < 0.3
      ? [{ event: eventsOfLife.removal, happen: (argyle: ArgyleControl) => argyle.removeUpload(userUpload) }]
      : []),
  ];
}

function loseSome(happenings: readonly Happening[], random: () => number): void {
  for (const event of eventTypes) {
    const all = happenings.filter((happening) => happening.event === event);
    const lost = shuffled(all, random).slice(0, Math.ceil(all.length * lostShare));
    for (const { deliveries } of lost) for (const delivery of deliveries) delivery.isLost = true;
  }
}
