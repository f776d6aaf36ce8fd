import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { newRun } from '../../../functions/reconciliation/run.ts';
import { createReconciliationState, type ReconciliationState } from '../../../functions/reconciliation/state-store.ts';
import type { Report } from '../../../tools/cli/report.ts';
import { restore } from '../../../tools/cli/restore.ts';
import { type Target, UsageError } from '../../../tools/cli/target.ts';
import { clientConfig, createUploadTable } from '../../support/emulators/emulators.ts';
import { openUploadTable } from '../../support/emulators/upload-table.ts';

const run = newRun('run', Date.parse('2026-11-24T10:00:00.000Z'), undefined);
const removedAt = '2026-11-24T10:05:00.000Z';
const earlier = '2026-11-24T10:04:59.999Z';
const [first, second] = ['00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000002'] as const;

let table: Awaited<ReturnType<typeof openUploadTable>>;
let state: ReconciliationState;
let target: Target;
let results: object[];
beforeAll(async () => {
  table = await openUploadTable();
});
beforeEach(async () => {
  const stateTableName = await createUploadTable(table.client, 'id');
  state = createReconciliationState(table.client, stateTableName);
  const { hostname, port } = (await table.client.config.endpoint?.()) ?? {};
  const clientOptions = () => clientConfig(`http://${hostname}:${port}`);
  target = { stateTableName, uploadTableName: table.tableName, clientOptions } as unknown as Target;
  results = [];
});
afterAll(() => table.close());

test('restore keeps the events of a record and removes its removal and expiry', async () => {
  await removals({ [first]: removedAt });
  await restore(target, report(), 'run', { yes: true });
  expect(results).toEqual([{ restored: 1, unchanged: 0 }]);
  expect(await table.read(first)).toEqual({ userUpload: { S: first }, addedAt: { S: earlier } });
});

test('a removal that was applied after later runs had missed the document again can be restored', async () => {
  const earlierRemovals = [{ run: 'run', removedAt }];
  await state.saveMiss(first, { firstMissedAt: earlier, missedBy: 'later run', earlierRemovals });
  const removal = { removedAt: { S: removedAt }, expiresAt: { N: '1800000000' } };
  await table.seed({ userUpload: { S: first }, addedAt: { S: earlier }, ...removal });
  await restore(target, report(), 'run', { yes: true });
  expect(results).toEqual([{ restored: 1, unchanged: 0 }]);
});

test('restore does not undo the removal of an earlier webhook', async () => {
  await removals({ [first]: removedAt, [second]: earlier });
  await restore(target, report(), undefined, {});
  await restore(target, report(), 'run', { yes: true });
  expect(results).toEqual([[{ run: 'run', from: removedAt, records: 1 }], { restored: 1, unchanged: 0 }]);
  expect(await table.read(second)).toHaveProperty('removedAt');
});

test('restore does not change a record that was removed by a webhook meanwhile', async () => {
  await removals({ [first]: removedAt, [second]: removedAt });
  const byWebhook = { userUpload: { S: first }, removedAt: { S: earlier } };
  await restore(
    target,
    report(() => table.seed(byWebhook)),
    'run',
    {},
  );
  expect(results).toEqual([{ restored: 1, unchanged: 1 }]);
  expect(await table.read(first)).toEqual(byWebhook);
});

test('a record that is missed but not removed cannot be restored', async () => {
  await state.saveMiss(first, { firstMissedAt: earlier, missedBy: 'run' });
  await table.seed({ userUpload: { S: first }, addedAt: { S: earlier } });
  await restore(target, report(), 'run', { yes: true });
  expect(results).toEqual([{ restored: 0 }]);
});

test('a stack without a state table is explained in a sentence', async () => {
  const { stateTableName, ...others } = target;
  const restoring = restore(others as Target, report(), undefined, {});
  await expect(restoring).rejects.toThrow(UsageError);
  await expect(restoring).rejects.toThrow('has no output StateTableName');
});

// Notes a removal of the run for each upload, whose record shows this time of removal.
async function removals(times: Readonly<Record<string, string>>): Promise<void> {
  for (const [userUpload, shown] of Object.entries(times)) {
    await state.saveMiss(userUpload, { firstMissedAt: run.startedAt, missedBy: run.id, removedAt });
    const removal = { removedAt: { S: shown }, expiresAt: { N: '1800000000' } };
    await table.seed({ userUpload: { S: userUpload }, addedAt: { S: earlier }, ...removal });
  }
}

function report(beforeAnswer: () => Promise<unknown> = async () => undefined): Report {
  return {
    result: (data) => results.push(data),
    line: () => undefined,
    remark: () => undefined,
    asJson: false,
    confirm: async () => {
      await beforeAnswer();
      return true;
    },
  };
}
