import type { DynamoDBRecord } from 'aws-lambda';
import { createTelemetry, type Telemetry } from '../aws/telemetry.ts';
import { changeMetrics, durationMetric } from '../domain/metric-names.ts';
import { describeChange, type RecordChange } from './record-change.ts';
import { readStreamRecord } from './stream-record-reader.ts';

/** What it needs from outside. */
export type RecordChangesDependencies = {
  readonly telemetry: Pick<Telemetry, 'measure'>;
  readonly nowMs: () => number;
};

/**
 * Turns what the table's stream tells into the events that are published; a write that changed nothing for their
 * readers becomes none. It stands in a pipe between the stream and the event bus, which publishes what it gives back.
 */
export function createRecordChanges({ telemetry, nowMs }: RecordChangesDependencies) {
  // called by AWS, one batch of a shard at a time
  return async (records: readonly DynamoDBRecord[]): Promise<readonly RecordChange[]> => {
    const startedMs = nowMs();
    const changes = records.flatMap((record) => describeChange(readStreamRecord(record)) ?? []);
    telemetry.measure(
      {
        [changeMetrics.published]: changes.length,
        [changeMetrics.invisible]: records.length - changes.length,
        [durationMetric]: nowMs() - startedMs,
      },
      { records: records.length, userUploads: [...new Set(changes.map(({ userUpload }) => userUpload))].join(' ') },
    );
    return changes;
  };
}

// once per cold start
export const handler = createRecordChanges({ telemetry: createTelemetry(), nowMs: Date.now });
