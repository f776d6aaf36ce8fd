import {
  DescribeContinuousBackupsCommand,
  DescribeTimeToLiveCommand,
  UpdateContinuousBackupsCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import type { Workaround } from './workaround.ts';

/** The table's expiry is set by hand. */
export const timeToLive: Workaround = {
  name: 'table-time-to-live',
  seen: 'MiniStack 1.5.33, 2026-11-24; 1.4.21 as well',
  wrong: 'TimeToLiveSpecification of a table is dropped.',
  isNeeded: async ({ dynamodb, tableName: TableName }) => {
    const { TimeToLiveDescription } = await dynamodb.send(new DescribeTimeToLiveCommand({ TableName }));
    return TimeToLiveDescription?.TimeToLiveStatus !== 'ENABLED';
  },
  mend: ({ dynamodb, tableName: TableName, table }) => {
    const { TimeToLiveSpecification } = table.properties;
    return dynamodb.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }));
  },
};

/** The table's point-in-time recovery is set by hand. */
export const pointInTimeRecovery: Workaround = {
  name: 'table-point-in-time-recovery',
  seen: 'MiniStack 1.5.33, 2026-11-24',
  wrong: 'PointInTimeRecoverySpecification of a table is dropped.',
  isNeeded: async ({ dynamodb, tableName: TableName }) => {
    const { ContinuousBackupsDescription } = await dynamodb.send(new DescribeContinuousBackupsCommand({ TableName }));
    return ContinuousBackupsDescription?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus !== 'ENABLED';
  },
  mend: ({ dynamodb, tableName: TableName, table }) => {
    const { PointInTimeRecoverySpecification } = table.properties;
    return dynamodb.send(new UpdateContinuousBackupsCommand({ TableName, PointInTimeRecoverySpecification }));
  },
};
