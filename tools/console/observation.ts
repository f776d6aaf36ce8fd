import { events, eventTypes } from '../../functions/domain/events.ts';
import { createCounters } from './counters.ts';
import { createDeliveryLog, splitIds } from './delivery-log.ts';
import { parseLogLine } from './log-line.ts';
import type { Overview } from './page/api.ts';
import { createRecordList } from './record-list.ts';
import { readQueues, type Stores } from './state.ts';

export type Observation = ReturnType<typeof observe>;

// Records on the page, and deliveries in memory, which are one or two megabytes.
const shownRecords = 20;
const keptDeliveries = 5_000;

const catalogue = eventTypes.map((event) => ({ event, meaning: events[event].meaning, slot: events[event].slot }));

/** Observes the pipeline through the functions' log lines, from now on, in bounded memory. */
export function observe(stores: Stores) {
  const counters = createCounters(Date.now);
  const deliveries = createDeliveryLog(keptDeliveries);
  const records = createRecordList(stores, shownRecords, Date.now);
  return {
    note: (text: string): void => {
      const line = parseLogLine(text);
      if (!line) return;
      deliveries.note(line);
      if (line.kind !== 'metrics') return;
      counters.note(line);
      records.note(splitIds(line.fields.userUploads));
    },
    overview: async (): Promise<Omit<Overview, 'stackName' | 'webhookUrl' | 'hasArgyle'>> => {
      const [queues, listing] = await Promise.all([readQueues(stores), records.read()]);
      const isLane = ({ event }: { event: string }) => event !== 'quarantine';
      const { visible = 0, inFlight = 0 } = queues.find((queue) => !isLane(queue)) ?? {};
      return {
        events: catalogue,
        answers: counters.answers(),
        throughput: counters.throughput(),
        lanes: queues.filter(isLane).map((queue) => ({ ...queue, ...counters.lane(queue.event) })),
        quarantine: { visible, inFlight },
        records: listing,
      };
    },
    deliveriesOf: deliveries.of,
    lastWebhookAt: counters.lastWebhookAt,
  };
}
