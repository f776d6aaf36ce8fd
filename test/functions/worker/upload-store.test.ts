import { randomUUID } from 'node:crypto';
import { DeleteItemCommand, DynamoDBClient, GetItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { Envelope } from '../../../functions/domain/envelope.ts';
import { events, eventTypes } from '../../../functions/domain/events.ts';
import { createApplyEvent } from '../../../functions/worker/upload-store.ts';
import { sample } from '../../support/builders/builders.ts';
import { expectedRecord, messageAt, textOf } from '../../support/builders/upload-histories.ts';
import { clientConfig } from '../../support/emulators/emulators.ts';
import { envelopeOf, openUploadTable, retentionDays } from '../../support/emulators/upload-table.ts';

const document = { M: { fileName: { S: 'payslip.pdf' } } };
const removed = 'user_uploads.removed';
const mayCreate = true;

let table: Awaited<ReturnType<typeof openUploadTable>>;
beforeAll(async () => {
  table = await openUploadTable();
  return table.close;
});

describe('a message', () => {
  it.each(eventTypes)('is applied if it is the earliest, and otherwise stale: %s', async (event) => {
    const userUpload = randomUUID();
    const outcomes: string[] = [];
    for (const minute of [2, 2, 3, 1, 2]) outcomes.push(await table.apply(userUpload, messageAt(event, minute)));
    expect(outcomes).toEqual(['applied', 'stale', 'stale', 'applied', 'stale']);
  });

  it('changes only the record of its own document', async () => {
    const [one, other] = [randomUUID(), randomUUID()];
    await table.apply(one, messageAt('user_uploads.added', 1));
    await table.apply(other, messageAt(removed, 2));
    const expected = expectedRecord(one, [messageAt('user_uploads.added', 1)], retentionDays);
    expect(await table.read(one)).toEqual(expected);
  });

  it.each([
    { IndexName: 'byAccount', attribute: 'account', of: sample.account },
    { IndexName: 'byUser', attribute: 'user', of: sample.user },
  ])('creates a record that the index $IndexName finds', async ({ IndexName, attribute, of }) => {
    const userUpload = randomUUID();
    await table.apply(userUpload, messageAt(sample.event, 1));
    const { Items } = await table.client.send(
      new QueryCommand({
        TableName: table.tableName,
        IndexName,
        KeyConditionExpression: '#attribute = :of',
        ExpressionAttributeNames: { '#attribute': attribute },
        ExpressionAttributeValues: { ':of': { S: of } },
      }),
    );
    expect(Items).toContainEqual({ userUpload: { S: userUpload }, [attribute]: { S: of } });
  });

  it('is one write without a read before it; only a failed condition causes a read', async () => {
    const userUpload = randomUUID();
    const commands = await commandsOf(async () => {
      for (const minute of [2, 1, 3]) await table.apply(userUpload, messageAt(sample.event, minute));
    });
    expect(commands).toEqual(['UpdateItemCommand', 'UpdateItemCommand', 'UpdateItemCommand', 'GetItemCommand']);
  });

  it.each(eventTypes)('returns whether its document is removed, both applied and stale: %s', async (event) => {
    const userUpload = randomUUID();
    const outcomes = [];
    for (const message of [messageAt(event, 2), messageAt(removed, 3), messageAt(event, 1), messageAt(event, 4)])
      outcomes.push(await table.applyEvent(envelopeOf(userUpload, message.event), message.receivedAt, { mayCreate }));
    const isRemoval = event === removed;
    expect(outcomes).toEqual([
      { kind: 'applied', isRemoved: isRemoval },
      { kind: isRemoval ? 'stale' : 'applied', isRemoved: true },
      { kind: 'applied', isRemoved: true },
      { kind: 'stale', isRemoved: true },
    ]);
  });

  it('returns when its document was fetched, both applied and stale, without another read', async () => {
    const userUpload = randomUUID();
    const fetchedAt = '2026-11-24T10:05:00.000Z';
    const outcomes: unknown[] = [];
    const apply = async (minute: number) => {
      const { receivedAt } = messageAt(sample.event, minute);
      outcomes.push(await table.applyEvent(envelopeOf(userUpload), receivedAt, { mayCreate }));
    };
    await apply(3);
    const document = { processing: {}, ocrErrors: [], updatedAt: fetchedAt };
    await table.writeDocument(userUpload, document, fetchedAt, new AbortController().signal);
    const commands = await commandsOf(async () => {
      await apply(2);
      await apply(4);
    });
    expect(commands).toEqual(['UpdateItemCommand', 'UpdateItemCommand', 'GetItemCommand']);
    expect(outcomes).toEqual([
      { kind: 'applied', isRemoved: false },
      { kind: 'applied', isRemoved: false, documentFetchedAt: fetchedAt },
      { kind: 'stale', isRemoved: false, documentFetchedAt: fetchedAt },
    ]);
  });
});

describe('the user of a record that reconciliation created', () => {
  const { user } = sample;
  const withoutUser = { event: sample.event, account: sample.account };

  it('is absent', async () => {
    const envelope = { ...withoutUser, userUpload: randomUUID() };
    await table.applyEvent(envelope, sample.receivedAt, { mayCreate });
    expect(await table.read(envelope.userUpload)).not.toHaveProperty('user');
  });

  it.each(['2026-11-24T09:00:00.000Z', sample.receivedAt, '2026-11-24T11:00:00.000Z'])(
    'is added by a webhook, even if the slot is already set: received %s',
    async (receivedAt) => {
      const envelope = { ...withoutUser, userUpload: randomUUID() };
      await table.applyEvent(envelope, sample.receivedAt, { mayCreate });
      await table.applyEvent({ ...envelope, user }, receivedAt, { mayCreate });
      await table.applyEvent(envelope, receivedAt, { mayCreate });
      expect(await table.read(envelope.userUpload)).toMatchObject({ user: { S: user } });
    },
  );

  it('causes a second write only while it is absent', async () => {
    const envelope = { ...withoutUser, userUpload: randomUUID() };
    await table.applyEvent(envelope, sample.receivedAt, { mayCreate });
    const repeat = () => table.applyEvent({ ...envelope, user }, sample.receivedAt, { mayCreate });
    const refused = ['UpdateItemCommand', 'GetItemCommand'];
    expect(await commandsOf(repeat)).toEqual([...refused, 'UpdateItemCommand']);
    expect(await commandsOf(repeat)).toEqual(refused);
  });
});

describe('an event with another owner than the record', () => {
  const account = otherId(sample.account);
  const user = otherId(sample.user);
  const owned = (userUpload: string, facts: Partial<Envelope> = {}) => ({ ...envelopeOf(userUpload), ...facts });

  it.each([
    ['another account', { account }],
    ['another user', { user }],
    ['another account and user', { account, user }],
    ['another account, and no user, as reconciliation creates it', { account, user: undefined }],
  ])('conflicts and changes nothing, whenever it was received: %s', async (_, facts) => {
    const { user: foreignUser, ...others } = { ...owned(randomUUID()), ...facts };
    const foreign = { ...others, ...(foreignUser && { user: foreignUser }) };
    await table.applyEvent(envelopeOf(foreign.userUpload), messageAt(sample.event, 2).receivedAt, { mayCreate });
    const before = await table.read(foreign.userUpload);
    for (const event of eventTypes)
      for (const minute of [1, 2, 3])
        for (const isRecent of [true, false]) {
          const options = { mayCreate: isRecent };
          const outcome = await table.applyEvent({ ...foreign, event }, messageAt(event, minute).receivedAt, options);
          expect(outcome).toEqual({ kind: 'owner_conflict' });
        }
    expect(await table.read(foreign.userUpload)).toEqual(before);
  });

  it('conflicts with a tombstone too', async () => {
    const userUpload = randomUUID();
    await table.apply(userUpload, messageAt(removed, 2));
    const outcome = await table.applyEvent(owned(userUpload, { user }), sample.receivedAt, { mayCreate });
    expect(outcome).toEqual({ kind: 'owner_conflict' });
  });

  it('is one write and one read', async () => {
    const userUpload = randomUUID();
    await table.apply(userUpload, messageAt(sample.event, 2));
    const applyForeign = () => table.applyEvent(owned(userUpload, { user }), sample.receivedAt, { mayCreate });
    expect(await commandsOf(applyForeign)).toEqual(['UpdateItemCommand', 'GetItemCommand']);
  });

  it('does not conflict by its user if it has none, or if the record has none', async () => {
    const { user: _, ...withoutUser } = envelopeOf(randomUUID());
    const at = (minute: number) => messageAt(sample.event, minute).receivedAt;
    expect(await table.applyEvent(withoutUser, at(3), { mayCreate })).toMatchObject({ kind: 'applied' });
    expect(await table.applyEvent({ ...withoutUser, user }, at(2), { mayCreate })).toMatchObject({ kind: 'applied' });
    expect(await table.applyEvent(withoutUser, at(1), { mayCreate })).toMatchObject({ kind: 'applied' });
    expect(await table.read(withoutUser.userUpload)).toMatchObject({ user: { S: user }, addedAt: { S: at(1) } });
  });

  it('conflicts by its account with a record that has no user, and adds no user', async () => {
    const { user: _, ...withoutUser } = envelopeOf(randomUUID());
    await table.applyEvent(withoutUser, sample.receivedAt, { mayCreate });
    const foreign = { ...withoutUser, account, user };
    expect(await table.applyEvent(foreign, sample.receivedAt, { mayCreate })).toEqual({ kind: 'owner_conflict' });
    expect(await table.read(withoutUser.userUpload)).not.toHaveProperty('user');
  });

  it('conflicts if another event adds its user first, between the read and the addition', async () => {
    const { user: _, ...withoutUser } = envelopeOf(randomUUID());
    const { userUpload } = withoutUser;
    await table.applyEvent(withoutUser, sample.receivedAt, { mayCreate });
    const late = { ...withoutUser, user };
    const outcome = await interleaved(
      () => table.applyEvent(late, sample.receivedAt, { mayCreate }),
      () => table.applyEvent(envelopeOf(userUpload), messageAt(removed, 1).receivedAt, { mayCreate }),
    );
    expect(outcome).toEqual({ kind: 'owner_conflict' });
    expect(await table.read(userUpload)).toMatchObject({ user: { S: sample.user } });
  });
});

it('an event adds its user to no record that expires between the read and the addition', async () => {
  const { user: _, ...withoutUser } = envelopeOf(randomUUID());
  const { userUpload } = withoutUser;
  await table.applyEvent(withoutUser, sample.receivedAt, { mayCreate });
  const Key = { userUpload: { S: userUpload } };
  const outcome = await interleaved(
    () => table.applyEvent(envelopeOf(userUpload), sample.receivedAt, { mayCreate }),
    () => table.client.send(new DeleteItemCommand({ TableName: table.tableName, Key })),
  );
  expect(outcome).toEqual({ kind: 'stale', isRemoved: true });
  expect(await table.read(userUpload)).toBeUndefined();
});

it('the read after a refused write is consistent', async () => {
  const userUpload = randomUUID();
  await table.apply(userUpload, messageAt(sample.event, 1));
  const send = vi.spyOn(table.client, 'send');
  await table.apply(userUpload, messageAt(sample.event, 2));
  const reads = send.mock.calls.map(([command]) => command).filter((command) => command instanceof GetItemCommand);
  send.mockRestore();
  expect(reads.map(({ input }) => input.ConsistentRead)).toEqual([true]);
});

describe('a removal', () => {
  it('deletes the document permanently and sets the expiry of the record', async () => {
    const userUpload = await seedWithDocument();
    const history = [
      messageAt(removed, 5),
      ...eventTypes.flatMap((event) => [messageAt(event, 1), messageAt(event, 9)]),
    ];
    for (const message of history) {
      await table.apply(userUpload, message);
      expect(await table.read(userUpload)).not.toHaveProperty('document');
    }
    const record = await table.read(userUpload);
    expect(textOf(record)).toBe(textOf(expectedRecord(userUpload, history, retentionDays)));
    expect(record?.expiresAt).toEqual({ N: String(Date.parse('2027-02-22T10:01:00Z') / 1_000) });
  });

  it.each(eventTypes.filter((event) => event !== removed))(
    'is the only event that deletes the document: not %s',
    async (event) => {
      const userUpload = await seedWithDocument();
      await table.apply(userUpload, messageAt(event, 1));
      const record = await table.read(userUpload);
      expect(record?.document).toEqual(document);
      expect(record).not.toHaveProperty('expiresAt');
    },
  );
});

describe('a message that may not create a record', () => {
  const mayCreate = false;

  it.each(eventTypes)('is applied to an existing record: %s', async (event) => {
    const userUpload = await seedWithDocument();
    expect(await table.apply(userUpload, messageAt(event, 1), mayCreate)).toBe('applied');
    expect(await table.read(userUpload)).toHaveProperty(events[event].slot, { S: messageAt(event, 1).receivedAt });
  });

  it.each(eventTypes)('is stale if the record has the event with the same or an earlier time: %s', async (event) => {
    const userUpload = randomUUID();
    await table.apply(userUpload, messageAt(event, 1));
    expect(await table.apply(userUpload, messageAt(event, 1), mayCreate)).toBe('stale');
    expect(await table.apply(userUpload, messageAt(event, 2), mayCreate)).toBe('stale');
  });

  it.each(eventTypes)('creates no record: %s', async (event) => {
    const userUpload = randomUUID();
    const outcome = await table.apply(userUpload, messageAt(event, 1), mayCreate);
    // Without a record, a removal has nothing left to remove.
    expect(outcome).toBe(event === removed ? 'stale' : 'expired');
    expect(await table.read(userUpload)).toBeUndefined();
  });
});

describe('a failure of DynamoDB is thrown', () => {
  const { receivedAt } = messageAt(sample.event, 1);

  it('when it refuses for a reason other than the condition', async () => {
    const applyEvent = createApplyEvent(table.client, 'no-such-table', retentionDays);
    const applying = applyEvent(envelopeOf(randomUUID()), receivedAt, { mayCreate: true });
    await expect(applying).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  it.each([true, false])('when it cannot be reached (mayCreate: %s)', async (mayCreate) => {
    const client = new DynamoDBClient({ ...clientConfig('http://127.0.0.1:1'), maxAttempts: 1 });
    const applyEvent = createApplyEvent(client, table.tableName, retentionDays);
    const applying = applyEvent(envelopeOf(randomUUID()), receivedAt, { mayCreate });
    await expect(applying).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});

/** Runs `other` once the first read of `act` has been answered. */
async function interleaved<Result>(act: () => Promise<Result>, other: () => Promise<unknown>): Promise<Result> {
  const send = table.client.send.bind(table.client) as (command: unknown) => Promise<unknown>;
  const spy = vi.spyOn(table.client, 'send').mockImplementation(async (command: unknown) => {
    const answer = await send(command);
    if (command instanceof GetItemCommand) {
      spy.mockRestore();
      await other();
    }
    return answer as never;
  });
  return act();
}

function otherId(id: string): string {
  return id.replace(/^......../, 'ffffffff');
}

async function commandsOf(act: () => Promise<unknown>): Promise<string[]> {
  const send = vi.spyOn(table.client, 'send');
  await act();
  const commands = send.mock.calls.map(([command]) => command.constructor.name);
  send.mockRestore();
  return commands;
}

async function seedWithDocument(): Promise<string> {
  const userUpload = randomUUID();
  await table.seed({ ...expectedRecord(userUpload, [], retentionDays), document });
  return userUpload;
}
