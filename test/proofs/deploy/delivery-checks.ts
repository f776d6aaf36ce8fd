import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import { QueryCommand } from '@aws-sdk/client-dynamodb';
import { type EventType, events, eventTypes } from '../../../functions/domain/events.ts';
import { removalSlot } from '../../../functions/domain/upload-record.ts';
import { type Answer, newUpload, type UploadIds, webhookBody } from '../../support/fakes/argyle-sender.ts';
import type { DeployedStack } from './deployed-stack.ts';

/** An upload record as DynamoDB stores it. */
export type UploadRecord = Readonly<Record<string, unknown>>;

/** Checks that a signed webhook of every event is accepted and becomes the record of its upload. Returns these records. */
export function checkEveryEvent(stack: DeployedStack): Promise<readonly UploadRecord[]> {
  return Promise.all(
    eventTypes.map(async (event) => {
      const ids = newUpload();
      const sentMs = Date.now();
      await deliver(stack, event, ids);
      const record = await eventually(`the record of ${event}`, () => stack.readRecord(ids.userUpload));
      const { slot } = events[event];
      const receivedAt = String(record[slot]);
      const receivedMs = Date.parse(receivedAt);
      const expiresAt = Math.floor(receivedMs / 1_000) + stack.retentionDays * 86_400;
      assert.deepEqual(record, { ...ids, [slot]: receivedAt, ...(slot === removalSlot && { expiresAt }) });
      assert.ok(receivedMs >= sentMs - 1_000 && receivedMs <= Date.now() + 1_000, receivedAt);
      return record;
    }),
  );
}

/** Checks that all events of one upload, in reverse and repeated, produce one record, which every index finds. */
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
    const query = new QueryCommand({
      TableName: stack.tableName,
      IndexName,
      KeyConditionExpression: '#key = :key',
      ExpressionAttributeNames: { '#key': key },
      ExpressionAttributeValues: { ':key': { S: ids[key] } },
    });
    const { Items = [] } = await stack.dynamodb.send(query);
    const found = Items.map(({ userUpload }) => userUpload?.S);
    assert.deepEqual(found, [ids.userUpload], IndexName);
  }
}

/** Checks that an event without a correct signature is refused and creates no record. */
export async function checkUnsigned(stack: DeployedStack): Promise<void> {
  for (const event of eventTypes) {
    const [refused, signed] = [newUpload(), newUpload()];
    for (const signature of ['', '0'.repeat(128)]) {
      const answer = await stack.post(webhookBody(event, refused), { 'X-Argyle-Signature': signature });
      expectAnswer(answer, 401, 'bad_signature');
    }
    await deliver(stack, event, signed);
    await eventually(`the signed record of ${event}`, () => stack.readRecord(signed.userUpload));
    assert.equal(await stack.readRecord(refused.userUpload), undefined, event);
  }
}

/** Checks that a signed body that ingest does not understand is kept byte for byte. */
export async function checkQuarantine(stack: DeployedStack): Promise<void> {
  const body = 'signed — but no JSON\n';
  expectAnswer(await stack.post(body), 200, 'quarantined');
  const messages = await stack.readMessages(stack.queueOf('quarantine').url);
  const bodies = messages.map(({ Body }) => Body);
  assert.deepEqual(bodies, [body]);
}

/** Checks that in every queue a poison message becomes a dead letter, and that the messages beside it are applied. */
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
      return messages.length > 0 ? messages.map(({ Body }) => Body) : undefined;
    });
    assert.deepEqual(dead, [poison]);
  };
  await Promise.all(eventTypes.map(check));
}

/** Throws unless the answer has this code and status. */
export function expectAnswer({ code, body }: Answer, expectedCode: number, status: string): void {
  assert.deepEqual([code, body], [expectedCode, { status }]);
}

/** Returns what `look` finds, as soon as it finds something. Throws after five minutes. */
export async function eventually<Found>(what: string, look: () => Promise<Found | undefined>): Promise<Found> {
  // Far longer than a busy machine needs.
  for (const deadlineMs = Date.now() + 300_000; Date.now() < deadlineMs; await wait(200)) {
    const found = await look();
    if (found !== undefined) return found;
  }
  throw new Error(`${what} did not appear within five minutes.`);
}

// Retries a delivery after a server error, as Argyle does, but sooner and more often.
async function deliver(stack: DeployedStack, event: EventType, ids: UploadIds): Promise<void> {
  let answer = await stack.post(webhookBody(event, ids));
  for (let tries = 1; answer.code >= 500 && tries < 5; tries += 1) {
    await wait(2_000);
    answer = await stack.post(webhookBody(event, ids));
  }
  expectAnswer(answer, 200, 'accepted');
}
