import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import { QueryCommand } from '@aws-sdk/client-dynamodb';
import { type EventType, events, eventTypes } from '../../../functions/domain/events.ts';
import { removalSlot } from '../../../functions/domain/upload-record.ts';
import { newUpload, type UploadIds, webhookBody } from '../../support/fakes/argyle-sender.ts';
import type { DeployedStack } from './deployed-stack.ts';

/** An upload record as DynamoDB has it. */
export type UploadRecord = Readonly<Record<string, unknown>>;

/** A signed webhook of every event is accepted and becomes the record of its upload; gives these records. */
export function checkEveryEvent(stack: DeployedStack): Promise<readonly UploadRecord[]> {
  return Promise.all(
    eventTypes.map(async (event) => {
      const ids = newUpload();
      const sentMs = Date.now();
      await deliver(stack, event, ids);
      const record = await eventually(`the record of ${event}`, () => stack.readRecord(ids.userUpload));
      const receivedAt = String(record[events[event].slot]);
      assert.deepEqual(record, expectedRecord(event, ids, receivedAt, stack.retentionDays));
      assert.ok(Date.parse(receivedAt) >= sentMs - 1_000 && Date.parse(receivedAt) <= Date.now() + 1_000, receivedAt);
      return record;
    }),
  );
}

/** All events of one upload, in reverse and repeated, end in one record that every index of the table finds. */
export async function checkOneUpload(stack: DeployedStack): Promise<void> {
  const ids = newUpload();
  for (const event of [...eventTypes].reverse()) await deliver(stack, event, ids);
  for (const event of eventTypes) await deliver(stack, event, ids);
  const slots = eventTypes.map((event) => events[event].slot);
  const record = await eventually('the record with every slot', async () => {
    const found = await stack.readRecord(ids.userUpload);
    return found && slots.every((slot) => slot in found) ? found : undefined;
  });
  assert.deepEqual(Object.keys(record).sort(), [...slots, ...Object.keys(ids), 'expiresAt'].sort());

  for (const { IndexName, KeySchema } of stack.table.properties.GlobalSecondaryIndexes) {
    const key = KeySchema[0].AttributeName as keyof UploadIds;
    const { Items } = await stack.dynamodb.send(
      new QueryCommand({
        TableName: stack.tableName,
        IndexName,
        KeyConditionExpression: '#key = :key',
        ExpressionAttributeNames: { '#key': key },
        ExpressionAttributeValues: { ':key': { S: ids[key] } },
      }),
    );
    assert.deepEqual(
      Items?.map(({ userUpload }) => userUpload?.S),
      [ids.userUpload],
      IndexName,
    );
  }
}

/** Without a right signature an event is refused, and no record comes of it. */
export async function checkUnsigned(stack: DeployedStack): Promise<void> {
  for (const event of eventTypes) {
    const [refused, signed] = [newUpload(), newUpload()];
    for (const signature of ['', '0'.repeat(128)]) {
      const answer = await stack.post(webhookBody(event, refused), { 'X-Argyle-Signature': signature });
      assert.deepEqual([answer.code, answer.body], [401, { status: 'bad_signature' }], event);
    }
    await deliver(stack, event, signed);
    await eventually(`the signed record of ${event}`, () => stack.readRecord(signed.userUpload));
    assert.equal(await stack.readRecord(refused.userUpload), undefined, event);
  }
}

/** What is signed but not understood is kept, byte for byte. */
export async function checkQuarantine(stack: DeployedStack): Promise<void> {
  const body = 'signed — but no JSON\n';
  const answer = await stack.post(body);
  assert.deepEqual([answer.code, answer.body], [200, { status: 'quarantined' }]);
  const messages = await stack.readMessages(stack.queueOf('quarantine').url);
  assert.deepEqual(
    messages.map(({ Body }) => Body),
    [body],
  );
}

/** In every queue, a poison message ends in the dead-letter queue, and what was sent with it is applied. */
export async function checkPoison(stack: DeployedStack): Promise<void> {
  const check = async (event: EventType) => {
    const poison = `poison for ${event}`;
    const uploads = Array.from({ length: 3 }, newUpload);
    const bodies = [poison, ...uploads.map((ids) => webhookBody(event, ids))];
    const attributes = { event, receivedAt: new Date().toISOString(), deliveryId: 'poisoned' };
    await Promise.all(bodies.map((body) => stack.putOnQueue(event, body, attributes)));

    for (const { userUpload } of uploads)
      await eventually(`${event} beside the poison`, () => stack.readRecord(userUpload));
    const dead = await eventually(`the dead letter of ${event}`, async () => {
      const messages = await stack.readMessages(stack.queueOf(event).deadLetterUrl);
      return messages.length > 0 ? messages : undefined;
    });
    assert.deepEqual(
      dead.map(({ Body }) => Body),
      [poison],
    );
  };
  await Promise.all(eventTypes.map(check));
}

// As Argyle does, but for its 30 s, a delivery that meets trouble is sent again.
async function deliver(stack: DeployedStack, event: EventType, ids: UploadIds): Promise<void> {
  let answer = await stack.post(webhookBody(event, ids));
  for (let tries = 1; answer.code >= 500 && tries < 5; tries += 1) {
    await wait(2_000);
    answer = await stack.post(webhookBody(event, ids));
  }
  assert.deepEqual([answer.code, answer.body], [200, { status: 'accepted' }], event);
}

function expectedRecord(event: EventType, ids: UploadIds, receivedAt: string, retentionDays: number): UploadRecord {
  const { slot } = events[event];
  const expiresAt = Math.floor(Date.parse(receivedAt) / 1_000) + retentionDays * 86_400;
  return { ...ids, [slot]: receivedAt, ...(slot === removalSlot && { expiresAt }) };
}

/** Gives what is looked for once it is there; throws when it does not come. */
export async function eventually<Found>(what: string, look: () => Promise<Found | undefined>): Promise<Found> {
  // Far above what it takes on a busy machine.
  for (const deadlineMs = Date.now() + 300_000; Date.now() < deadlineMs; await wait(200)) {
    const found = await look();
    if (found !== undefined) return found;
  }
  throw new Error(`${what} did not come within five minutes.`);
}
