import type { DynamoDBRecord } from 'aws-lambda';
import { createTelemetry, type Telemetry } from '../aws/telemetry.ts';
import { changeMetrics, durationMetric } from '../domain/metric-names.ts';
import { describeChange, type RecordChange } from './record-change.ts';
import { readStreamRecord } from './stream-record-reader.ts';

/** Dependencies of the record-changes function. */
export type RecordChangesDependencies = {
  readonly telemetry: Pick<Telemetry, 'measure'>;
  readonly nowMs: () => number;
};

/**
 * Creates the enrichment step of the pipe between the table's stream and the event bus. It converts stream records into the events
 * that the pipe publishes, and drops writes that changed no published attribute.
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
