import { randomUUID } from 'node:crypto';
import { DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { beforeAll, describe, expect, it, vi } from 'vitest';
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
