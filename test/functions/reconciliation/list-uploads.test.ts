import { expect, test } from 'vitest';
import { OutOfTimeError } from '../../../functions/argyle/retry.ts';
import type { UserUploads } from '../../../functions/argyle/user-uploads.ts';
import { listUploads } from '../../../functions/reconciliation/list-uploads.ts';
import { newRun } from '../../../functions/reconciliation/run.ts';
import type { ReconciliationState } from '../../../functions/reconciliation/state-store.ts';
import { packIds } from '../../../functions/reconciliation/upload-id-set.ts';
import { sample } from '../../support/builders/builders.ts';
import { queueUrls } from '../../support/builders/ingest.ts';
import { fakeSendMessage, fakeTelemetry } from '../../support/fakes/fakes.ts';

const run = newRun('run', 0, undefined);
const second = 'https://api.argyle.com/v2/user-uploads?cursor=2';

test('pages that were read are saved when Argyle is busy for longer than the time left', async () => {
  const { list, saved } = setUp([{ results: [upload(1)], position: { nextPage: second, pagesRead: 1 } }, 'busy']);
  expect(await list()).toMatchObject({
    phase: 'list',
    nextPage: second,
    pagesRead: 1,
    listedChunks: 1,
    counts: { checked: 1 },
  });
  expect(saved).toEqual([packIds([upload(1).id])]);
});

test('a step that cannot read any page fails', async () => {
  const { list, saved } = setUp(['busy']);
  await expect(list()).rejects.toThrow(OutOfTimeError);
  expect(saved).toEqual([]);
});

test('a step ends after 25 pages, so that few are read again after a crash', async () => {
  const pages = Array.from({ length: 30 }, (_, number) => ({
    results: [upload(number)],
    position: { nextPage: second, pagesRead: number + 1 },
  }));
  const { list, saved } = setUp(pages);
  expect(await list()).toMatchObject({ phase: 'list', counts: { checked: 25 } });
  expect(saved).toEqual([packIds(pages.slice(0, 25).map(({ results: [only] }) => only?.id ?? ''))]);
});

function setUp(pages: readonly (Awaited<ReturnType<UserUploads['readPage']>> | 'busy')[]) {
  const left = [...pages];
  const saved: Uint8Array[] = [];
  const uploads: Pick<UserUploads, 'readPage'> = {
    readPage: async () => {
      const page = left.shift() ?? 'busy';
      if (page === 'busy') throw new OutOfTimeError('');
      return page;
    },
  };
  const state: Pick<ReconciliationState, 'saveChunk'> = { saveChunk: async (_, __, ___, ids) => void saved.push(ids) };
  const dependencies = {
    uploads: uploads as UserUploads,
    state: state as ReconciliationState,
    records: { readRecords: async () => new Map(), scanRecords: async () => ({ records: [] }) },
    sendMessage: fakeSendMessage().sendMessage,
    queueUrls,
    pace: async () => undefined,
    telemetry: fakeTelemetry().telemetry,
    nowMs: () => 0,
  };
  return { list: () => listUploads(dependencies, run, 1), saved };
}

function upload(number: number) {
  return { id: `00000000-0000-0000-0000-${String(number).padStart(12, '0')}`, account: sample.account };
}
