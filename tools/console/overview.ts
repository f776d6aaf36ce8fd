import { events, eventTypes } from '../../functions/domain/events.ts';
import { createDeliveryLog, type DeliveryLog, idsIn } from './delivery-log.ts';
import type { Overview } from './page/view.ts';
import { readPrintedLine } from './printed-line.ts';
import { createRecordList } from './record-list.ts';
import { readQueues, type Stores } from './state.ts';
import { createTally } from './tally.ts';

/** What the console has seen since it was started. */
export type Observation = {
  /** Takes note of a line that a function printed. */
  readonly note: (line: string) => void;
  readonly overview: () => Promise<Omit<Overview, 'stackName' | 'webhookUrl' | 'hasArgyle'>>;
  readonly deliveriesOf: DeliveryLog['of'];
  /** The ISO time of the last accepted webhook, or null. */
  readonly lastWebhookAt: () => string | null;
};

// What the page shows of the records, and what is kept of the deliveries: a megabyte or two.
const shownRecords = 20;
const keptDeliveries = 5_000;

const catalogue = eventTypes.map((event) => ({ event, meaning: events[event].meaning, slot: events[event].slot }));

/** Starts with nothing seen. Its memory is bounded, however long it watches. */
export function observe(stores: Stores): Observation {
  const tally = createTally(Date.now);
  const deliveries = createDeliveryLog(keptDeliveries);
  const records = createRecordList(stores, shownRecords, Date.now);
  return {
    note: (text) => {
      const line = readPrintedLine(text);
      if (line?.kind === 'failure') deliveries.noteFailure(line);
      if (line?.kind !== 'metrics') return;
      tally.note(line);
      // Those of ingest and the workers; other functions print no deliveries.
      if (line.fields.deliveryId || line.fields.deliveryIds) deliveries.note(line);
      records.note(idsIn(line.fields.userUploads));
    },
    overview: async () => {
      const [queues, listing] = await Promise.all([readQueues(stores), records.read()]);
      const isLane = ({ event }: { event: string }) => event !== 'quarantine';
      const { visible = 0, inFlight = 0 } = queues.find((queue) => !isLane(queue)) ?? {};
      return {
        events: catalogue,
        funnel: tally.funnel(eventTypes),
        throughput: tally.throughput(),
        lanes: queues.filter(isLane).map((queue) => ({ ...queue, ...tally.lane(queue.event) })),
        quarantine: { visible, inFlight },
        records: listing,
      };
    },
    deliveriesOf: deliveries.of,
    lastWebhookAt: tally.lastWebhookAt,
  };
}
