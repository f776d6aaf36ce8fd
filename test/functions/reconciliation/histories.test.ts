import { unmarshall } from '@aws-sdk/util-dynamodb';
import { expect, test } from 'vitest';
import type { KnownUpload } from '../../../tools/fake-argyle/user-uploads.ts';
import { recordDifferences } from '../../proofs/soak/record-differences.ts';
import { openForEachTest, type Reconciliation } from '../../support/builders/reconciliation.ts';
import { oneOf, seededRandom } from '../../support/builders/seeded-random.ts';

/** The uploads as the test changed them, and all tombstones that were ever read. */
type History = {
  readonly random: () => number;
  readonly known: Map<string, KnownUpload>;
  readonly tombstones: Map<string, string>;
};

let it: Reconciliation;
openForEachTest((opened) => {
  it = opened;
});

const results = ['success', 'failure', 'authenticity'] as const;

test.each([1, 2, 3])(
  'after random events, lost webhooks and interrupted runs, no listed upload is removed, no tombstone changes, and all records are correct at the end (history %i)',
  async (seed) => {
    const history: History = { random: seededRandom(seed), known: new Map(), tombstones: new Map() };
    const { random, known } = history;
    for (let step = 0; step < 20; step += 1) {
      await changeAnUpload(history);
      if (random() < 0.5) it.passHours(random() * 16);
      if (random() < 0.4) await reconcile(history);
    }
    for (let run = 0; run < 3; run += 1) {
      it.passHours(25);
      await reconcile({ ...history, random: () => 0.99 });
    }

    const records = await it.readAll();
    const wrong = (await it.control.readUploads()).flatMap((upload) => {
      const record = records.get(upload.userUpload);
      return recordDifferences(record && unmarshall(record), upload).map((what) => `${upload.userUpload}: ${what}`);
    });
    expect(wrong).toEqual([]);
    expect(known.size).toBeGreaterThan(3);
  },
  120_000,
);

async function changeAnUpload(history: History): Promise<void> {
  const { random, known } = history;
  const [first, ...others] = [...known.values()].filter(({ isRemoved }) => !isRemoved);
  const chosen = first && oneOf([first, ...others], random);
  if (!chosen || random() < 0.3) return deliver(await it.control.uploadDocument(), history);
  if (random() < 0.3) return deliver(await it.control.removeUpload(chosen.userUpload), history);
  return deliver(await it.control.runOcr(chosen.userUpload, { result: oneOf(results, random) }), history);
}

// A third of the webhooks are lost.
async function deliver(changed: KnownUpload, { random, known }: History): Promise<void> {
  const { userUpload, account, user } = changed;
  known.set(userUpload, changed);
  const event = changed.events.at(-1);
  if (event && random() > 0.33) await it.applyEventAndFetch({ event, userUpload, account, user });
}

async function reconcile({ random, known, tombstones }: History): Promise<void> {
  const isBusy = random() < 0.3;
  const path = '/v2/user-uploads';
  if (isBusy) await it.control.setFaults({ failures: [{ path, status: oneOf([429, 500], random), rate: 0.3 }] });
  const workMs = random() < 0.5 ? 0 : 600_000;
  const invocations = random() < 0.3 ? 1 : Number.POSITIVE_INFINITY;
  let payload: object = {};
  for (let number = 0; number < invocations; number += 1) {
    const answer = await it.invoke(payload, { workMs }).catch(() => undefined);
    if (answer?.status !== 'continues') break;
    payload = it.continued.at(-1) ?? {};
  }
  if (isBusy) await it.control.clearFaults();

  for (const { message } of it.sent.filter(({ message }) => message.attributes.event === 'user_uploads.removed'))
    expect(known.get(JSON.parse(message.body).data.user_upload)).toMatchObject({ isRemoved: true });
  await it.applySent();
  for (const [id, record] of await it.readAll()) {
    if (!record.removedAt) continue;
    const text = JSON.stringify(Object.entries(record).sort());
    expect(tombstones.get(id) ?? text).toBe(text);
    tombstones.set(id, text);
  }
  expect([...tombstones.keys()].filter((id) => !known.has(id))).toEqual([]);
}
