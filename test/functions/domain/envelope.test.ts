import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readEnvelope } from '../../../functions/domain/envelope.ts';
import { eventTypes } from '../../../functions/domain/events.ts';
import { sample, sampleBody } from '../../support/builders/builders.ts';

const ids = { account: sample.account, user: sample.user, userUpload: sample.userUpload };
const [account, user, user_upload] = [sample.account, sample.user, sample.userUpload];
const event = 'user_uploads.added';

describe('readEnvelope returns an envelope for', () => {
  it.each(eventTypes)('the recorded form of %s', (event) => {
    const fixture = readFileSync(new URL(`../../fixtures/${event}.json`, import.meta.url));
    expect(readEnvelope(fixture)).toEqual({ kind: 'envelope', envelope: { event, ...ids } });
  });

  it('a compact body with other keys, in any order', () => {
    const message = { data: { more: 1, user_upload, user, account }, more: [null], event };
    expect(read(JSON.stringify(message))).toEqual({ kind: 'envelope', envelope: { event, ...ids } });
  });

  it.each([
    ['all zeros', '00000000-0000-0000-0000-000000000000'],
    ['all f', 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
    ['version 0 and variant 5', '01320596-2c3d-089c-53e7-a8ce6d625b33'],
  ])('ids that are not RFC 9562 UUIDs: %s', (_, userUpload) => {
    expect(read(sampleBody({ userUpload }))).toMatchObject({ envelope: { userUpload } });
  });

  it('ids in upper case, converted to lower case', () => {
    const upper = { account: account.toUpperCase(), user: user.toUpperCase(), userUpload: user_upload.toUpperCase() };
    expect(read(sampleBody(upper))).toEqual({ kind: 'envelope', envelope: { event, ...ids } });
  });

  it('duplicate keys, of which the last is used, as by JSON.parse', () => {
    const body = sampleBody().replace('{', '{"event": "user_uploads.removed", "data": {},');
    expect(read(body)).toEqual({ kind: 'envelope', envelope: { event, ...ids } });
  });

  it('a body with a value that is nested 200,000 deep', () => {
    const body = sampleBody({ name: 'DEEP' }).replace('"DEEP"', '['.repeat(200_000) + ']'.repeat(200_000));
    expect(read(body)).toEqual({ kind: 'envelope', envelope: { event, ...ids } });
  });
});

describe('readEnvelope returns missing_ids', () => {
  it.each(
    ['account', 'user', 'user_upload'].flatMap((id) =>
      [
        ['missing', undefined],
        ['null', null],
        ['a number', 1],
        ['an array with an id', [account]],
        ['an empty string', ''],
        ['one digit short', account.slice(1)],
        ['one digit too long', `${account}0`],
        ['without dashes', account.replaceAll('-', '')],
        ['not hex', account.replace('c', 'g')],
        ['after a prefix', `id-${account}`],
        ['followed by a line break', `${account}\n`],
        ['in braces', `{${account}}`],
      ].map(([fault, value]) => ({ id, fault, value })),
    ),
  )('when $id is $fault', ({ id, value }) => {
    const data = { account, user, user_upload, [id]: value };
    expect(read(JSON.stringify({ event, data }))).toEqual({ kind: 'missing_ids', event });
  });

  it.each([{}, { data: null }, { data: 'text' }, { data: 1 }, { data: [] }])(
    'when the data is absent or not an object: %j',
    ({ data }) => {
      expect(read(JSON.stringify({ event, data }))).toEqual({ kind: 'missing_ids', event });
    },
  );

  it('when the ids are only in a key named __proto__', () => {
    const body = `{"event":"${event}","data":{"__proto__":${JSON.stringify({ account, user, user_upload })}}}`;
    expect(read(body)).toEqual({ kind: 'missing_ids', event });
  });
});

describe('readEnvelope returns unknown_event with the name', () => {
  it.each([
    'accounts.connected',
    'user_uploads',
    'USER_UPLOADS.ADDED',
    'user_uploads.added ',
    '',
    ...['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf'],
  ])('for %j', (event) => {
    expect(read(sampleBody({ event }))).toEqual({ kind: 'unknown_event', event });
  });
});

describe('readEnvelope returns malformed', () => {
  it.each([
    ['an empty body', ''],
    ['blanks', ' \n'],
    ['text that is not JSON', 'event=user_uploads.added'],
    ['truncated JSON', sampleBody().slice(0, -1)],
    ['JSON followed by a character', `${sampleBody()}x`],
    ['a byte order mark', `\uFEFF${sampleBody()}`],
    ['null', 'null'],
    ['a number', '42'],
    ['true', 'true'],
    ['a string', '"user_uploads.added"'],
    ['an array', `[${sampleBody()}]`],
    ['an array nested 200,000 deep', '['.repeat(200_000) + ']'.repeat(200_000)],
    ['200,000 brackets that are never closed', '['.repeat(200_000)],
    ['an object without an event', '{}'],
    ['an event that is null', '{"event":null}'],
    ['an event that is a list', '{"event":["user_uploads.added"]}'],
    ['an event only in a key named __proto__', '{"__proto__":{"event":"user_uploads.added"}}'],
  ])('for %s', (_, body) => {
    expect(read(body)).toEqual({ kind: 'malformed' });
  });

  it.each([
    ['a byte that is never UTF-8', [0xff]],
    ['half a character', [0xc3]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['an overlong form', [0xc0, 0xaf]],
  ])('for an envelope with %s in its name', (_, bytes) => {
    const [before = '', after = ''] = sampleBody({ name: 'HERE' }).split('HERE');
    const body = Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)]);
    expect(readEnvelope(body)).toEqual({ kind: 'malformed' });
  });
});

function read(body: string) {
  return readEnvelope(Buffer.from(body, 'utf8'));
}
