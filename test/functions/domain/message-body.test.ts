import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBody, encodeBody } from '../../../functions/domain/message-body.ts';
import { sampleBody } from '../../support/builders/builders.ts';

// The ranges of AWS's documentation. Deliberately not the pattern of the code.
function isAllowed(codePoint: number): boolean {
  const ranges = [[0x09, 0x0a] as const, [0x0d, 0x0d] as const, [0x20, 0xd7ff] as const, [0xe000, 0xfffd] as const];
  return ranges.some(([first, last]) => codePoint >= first && codePoint <= last);
}

const anyText = fc.string({ unit: 'binary', maxLength: 200 });
const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  anyText.map((text) => new TextEncoder().encode(text)),
  fc.string({ unit: 'grapheme-ascii', maxLength: 200 }).map((text) => new TextEncoder().encode(text)),
);

describe('encodeBody and decodeBody', () => {
  it('return any bytes and any text unchanged', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        const { text, encoding } = encodeBody(bytes);
        expect(Buffer.from(decodeBody(text, encoding) ?? 'undefined')).toEqual(Buffer.from(bytes));
      }),
      { numRuns: 1_000 },
    );
  });

  it('create a text that is never empty and has only characters that SQS allows', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        const { text } = encodeBody(bytes);
        expect(text).not.toBe('');
        expect([...text].every((character) => isAllowed(character.codePointAt(0) ?? 0))).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('encodeBody', () => {
  it('keeps a body verbatim exactly if SQS allows its characters, for each character from U+0000 to U+FFFF', () => {
    const wrong: string[] = [];
    for (let codePoint = 0; codePoint <= 0xffff; codePoint++) {
      if (codePoint >= 0xd800 && codePoint <= 0xdfff) continue;
      const body = `{${String.fromCodePoint(codePoint)}}`;
      const expected = isAllowed(codePoint) ? { text: body } : { text: base64Of(body), encoding: 'base64' };
      if (JSON.stringify(encodeBody(Buffer.from(body))) !== JSON.stringify(expected))
        wrong.push(codePoint.toString(16));
    }
    expect(wrong).toEqual([]);
  });

  it.each(['🧾', '\u{10000}', '\u{10FFFF}', `${sampleBody()}😀`])('encodes characters above U+FFFF: %j', (body) => {
    expect(encodeBody(Buffer.from(body))).toEqual({ text: base64Of(body), encoding: 'base64' });
  });

  it("keeps Argyle's form of a body verbatim", () => {
    expect(encodeBody(Buffer.from(sampleBody()))).toEqual({ text: sampleBody() });
  });

  it('keeps a byte order mark, which is part of the signed bytes', () => {
    expect(encodeBody(Buffer.from('\uFEFF{}'))).toEqual({ text: '\uFEFF{}' });
  });

  it('encodes an empty body as a text that decodes to no bytes', () => {
    const { text, encoding } = encodeBody(Buffer.alloc(0));
    expect(text.length).toBeGreaterThan(0);
    expect(encoding).toBe('base64');
    expect(decodeBody(text, encoding)).toHaveLength(0);
  });

  it.each([[[0xff]], [[0x7b, 0xc3, 0x28]], [[0xed, 0xa0, 0x80]], [[0x00]]])('encodes the bytes %j', (bytes) => {
    const body = Buffer.from(bytes);
    expect(encodeBody(body)).toEqual({ text: body.toString('base64'), encoding: 'base64' });
  });
});

describe('decodeBody', () => {
  it.each(['', 'Base64', 'gzip', 'constructor'])('returns undefined for the unknown encoding %j', (encoding) => {
    expect(decodeBody('e30=', encoding)).toBeUndefined();
  });
});

function base64Of(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
