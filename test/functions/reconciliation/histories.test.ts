import { unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { FakeArgyle } from '../../../tools/fake-argyle/fake-argyle.ts';
import type { KnownUpload } from '../../../tools/fake-argyle/user-uploads.ts';
import { recordDifferences } from '../../proofs/soak/record-differences.ts';
import { openReconciliation, type Reconciliation, startArgyle } from '../../support/builders/reconciliation.ts';
import { oneOf, seededRandom } from '../../support/builders/seeded-random.ts';

let argyle: FakeArgyle;
let it: Reconciliation;
beforeAll(async () => {
  argyle = await startArgyle();
});
beforeEach(async () => {
  it = await openReconciliation(argyle);
});
afterEach(() => it.close());
afterAll(() => argyle.stop());

const results = ['success', 'failure', 'authenticity'] as const;

test.each([1, 2, 3])(
  'whatever happens, whatever Argyle loses and wherever runs are cut: nothing listed is removed, no tombstone changes, and the end is the truth (history %i)',
  async (seed) => {
    const random = seededRandom(seed);
    const known: KnownUpload[] = [];
    const tombstones = new Map<string, string>();
    for (let step = 0; step < 30; step += 1) {
      await happen(random, known);
      if (random() < 0.5) it.passHours(random() * 16);
      if (random() < 0.4) await reconcile(random, known, tombstones);
    }
    for (let run = 0; run < 3; run += 1) {
      it.passHours(25);
      await reconcile(() => 0.99, known, tombstones);
    }

    const records = await it.readAll();
    const wrong = (await it.control.readUploads()).flatMap((upload) => {
      const record = records.get(upload.userUpload);
      return recordDifferences(record && unmarshall(record), upload).map((what) => `${upload.userUpload}: ${what}`);
    });
    expect(wrong).toEqual([]);
    expect(known.length).toBeGreaterThan(3);
  },
  120_000,
);

async function happen(random: () => number, known: KnownUpload[]): Promise<void> {
  const living = known.filter(({ isRemoved }) => !isRemoved);
  const [first, ...others] = living;
  const chosen = first && oneOf([first, ...others], random);
  if (!chosen || random() < 0.3) return tell(await it.control.uploadDocument(), random, known);
  if (random() < 0.3) return tell(await it.control.removeUpload(chosen.userUpload), random, known);
  return tell(await it.control.runOcr(chosen.userUpload, { result: oneOf(results, random) }), random, known);
}

// A third of the webhooks get lost.
async function tell(after: KnownUpload, random: () => number, known: KnownUpload[]): Promise<void> {
  const index = known.findIndex(({ userUpload }) => userUpload === after.userUpload);
  known.splice(index < 0 ? known.length : index, 1, after);
  const event = after.events.at(-1);
  const { userUpload, account, user } = after;
  if (event && random() > 0.33) await it.applyEventAndFetch({ event, userUpload, account, user });
}

async function reconcile(
  random: () => number,
  known: readonly KnownUpload[],
  tombstones: Map<string, string>,
): Promise<void> {
  const isBusy = random() < 0.3;
  const path = '/v2/user-uploads';
  if (isBusy) await it.control.setFaults({ failures: [{ path, status: oneOf([429, 500], random), rate: 0.3 }] });
  const workMs = random() < 0.5 ? 0 : 600_000;
  const parts = random() < 0.3 ? 1 : Number.POSITIVE_INFINITY;
  let payload: object = {};
  for (let part = 0; part < parts; part += 1) {
    const answer = await it.invoke(payload, { workMs }).catch(() => undefined);
    if (answer?.status !== 'continues') break;
    payload = it.continued.at(-1) ?? {};
  }
  await it.control.clearFaults();

  const removed = it.sent.filter(({ message }) => message.attributes.event === 'user_uploads.removed');
  for (const { message } of removed) {
    const id = JSON.parse(message.body).data.user_upload;
    expect(known.find(({ userUpload }) => userUpload === id)).toMatchObject({ isRemoved: true });
  }
  await it.applySent();
  for (const [id, record] of await it.readAll()) {
    if (!record.removedAt) continue;
    const text = JSON.stringify(Object.entries(record).sort());
    expect(tombstones.get(id) ?? text).toBe(text);
    tombstones.set(id, text);
  }
  expect([...tombstones.keys()].filter((id) => !known.some(({ userUpload }) => userUpload === id))).toEqual([]);
}
