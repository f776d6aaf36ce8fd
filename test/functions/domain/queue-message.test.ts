import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readMessage, reconciliation, writeMessage } from '../../../functions/domain/queue-message.ts';
import { sample, sampleBody } from '../../support/builders/builders.ts';

const delivery = {
  event: sample.event,
  receivedAtMs: Date.parse(sample.receivedAt),
  deliveryId: sample.requestId,
  body: Buffer.from(sampleBody()),
};
const { event, account, user, userUpload } = sample;
const envelope = { event, account, user, userUpload };

describe('writeMessage', () => {
  it('keeps the body and adds the attributes of the delivery', () => {
    expect(writeMessage(delivery)).toEqual({
      body: sampleBody(),
      attributes: { event: sample.event, receivedAt: sample.receivedAt, deliveryId: sample.requestId },
    });
  });

  it('adds the encoding of a body that SQS would refuse', () => {
    const { body, attributes } = writeMessage({ ...delivery, body: Buffer.from([0xff]) });
    expect({ body, encoding: attributes.encoding }).toEqual({ body: '/w==', encoding: 'base64' });
  });

  it('adds the origin of an event that reconciliation created', () => {
    const { attributes } = writeMessage({ ...delivery, origin: reconciliation });
    expect(attributes).toEqual({ ...writeMessage(delivery).attributes, origin: 'reconciliation' });
  });

  it('writes receipt times in a form that sorts as text', () => {
    const anyTime = fc.integer({ min: 0, max: Date.parse('9999-12-31T23:59:59.999Z') });
    fc.assert(
      fc.property(anyTime, anyTime, (one, other) => {
        const [first, second] = [receivedAtOf(one), receivedAtOf(other)];
        expect(Math.sign(one - other)).toBe(first < second ? -1 : first > second ? 1 : 0);
      }),
    );
  });
});

describe('readMessage', () => {
  it('reads what writeMessage wrote', () => {
    const reading = readMessage(writeMessage(delivery));
    expect(reading).toEqual({ kind: 'message', envelope, receivedAt: sample.receivedAt });
  });

  it('reads what writeMessage wrote in base64', () => {
    const message = writeMessage({ ...delivery, body: Buffer.from(sampleBody({ name: 'receipts 🧾' })) });
    expect(message.attributes.encoding).toBe('base64');
    expect(readMessage(message)).toEqual({ kind: 'message', envelope, receivedAt: sample.receivedAt });
  });

  it.each(['not JSON', sampleBody({ event: 'accounts.connected' }), sampleBody({ user: 'not-an-id' })])(
    'returns unreadable for a body without an envelope: %j',
    (body) => {
      expect(readMessage({ ...writeMessage(delivery), body })).toEqual({ kind: 'unreadable' });
      const found = writeMessage({ ...delivery, origin: reconciliation });
      expect(readMessage({ ...found, body })).toEqual({ kind: 'unreadable' });
    },
  );

  it('reads an event without a user only if reconciliation created it', () => {
    const body = JSON.stringify({
      event: sample.event,
      data: { account: sample.account, user_upload: sample.userUpload },
    });
    const { user: _, ...withoutUser } = envelope;
    const found = writeMessage({ ...delivery, body: Buffer.from(body), origin: reconciliation });
    expect(readMessage(found)).toEqual({ kind: 'message', envelope: withoutUser, receivedAt: sample.receivedAt });
    for (const attributes of [writeMessage(delivery).attributes, { ...found.attributes, origin: 'webhook' }]) {
      expect(readMessage({ ...found, attributes })).toEqual({ kind: 'unreadable' });
    }
  });

  it.each([
    ['absent', undefined],
    ['empty', ''],
    ['not a time', 'yesterday'],
    ['epoch milliseconds', '1795514400123'],
    ['a date only', '2026-11-24'],
    ['without milliseconds', '2026-11-24T10:00:00Z'],
    ['with microseconds', '2026-11-24T10:00:00.123456Z'],
    ['in another time zone', '2026-11-24T11:00:00.123+01:00'],
    ['without a time zone', '2026-11-24T10:00:00.123'],
    ['in lower case', '2026-11-24t10:00:00.123z'],
    ['month 13', '2026-13-24T10:00:00.123Z'],
    ['hour 25', '2026-11-24T25:00:00.123Z'],
    ['after a space', ` ${sample.receivedAt}`],
    ['on a day that does not exist', '2026-02-30T00:00:00.000Z'],
    ['at hour 24', '2026-11-24T24:00:00.000Z'],
    ['followed by a comment', `${sample.receivedAt} (UTC)`],
    ['followed by a line break', `${sample.receivedAt}\n`],
    ['of a year with six digits', '+012026-11-24T10:00:00.123Z'],
  ])('returns unreadable when receivedAt is %s', (_, receivedAt) => {
    const { body, attributes } = writeMessage(delivery);
    const { receivedAt: _written, ...others } = attributes;
    const message = { body, attributes: { ...others, ...(receivedAt !== undefined && { receivedAt }) } };
    expect(readMessage(message)).toEqual({ kind: 'unreadable' });
  });

  it.each(['gzip', '', 'BASE64'])('returns unreadable for the unknown encoding %j', (encoding) => {
    const { body, attributes } = writeMessage(delivery);
    expect(readMessage({ body, attributes: { ...attributes, encoding } })).toEqual({ kind: 'unreadable' });
  });
});

function receivedAtOf(receivedAtMs: number): string {
  return writeMessage({ ...delivery, receivedAtMs }).attributes.receivedAt ?? '';
}
