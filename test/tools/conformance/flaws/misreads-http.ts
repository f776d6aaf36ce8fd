import { once } from 'node:events';
import { reference } from '../reference.ts';
import type { Flaw } from './flaw.ts';

const limitBytes = 512 * 1024;

/** Receivers that take HTTP for simpler than it is. */
export const misreadsHttp: readonly Flaw[] = [
  {
    name: 'takes any path',
    steps: () => ({ takes: (method) => method === 'POST' }),
    caughtBy: ['refuses other paths'],
  },
  {
    name: 'takes any method',
    steps: () => ({ takes: (_, path) => reference.takes('POST', path) }),
    caughtBy: ['refuses other methods'],
  },
  {
    name: 'trusts Content-Length',
    steps: () => ({
      readBody: async (request) => {
        const body = Buffer.alloc(Number(request.headers['content-length'] ?? 0));
        (await reference.readBody(request)).copy(body);
        return body;
      },
    }),
    caughtBy: ['accepts a body in chunks, without a Content-Length', 'refuses one byte more as too large'],
  },
  {
    name: 'takes the first chunk for the body',
    steps: () => ({
      readBody: async (request) => {
        const [chunk] = await Promise.race([once(request, 'data'), once(request, 'end')]);
        request.resume();
        return chunk ?? Buffer.alloc(0);
      },
    }),
    caughtBy: [
      'answers repeats at the same time alike',
      'keeps one whole record when all comes at once, and repeated',
      'accepts a body of exactly 512 KiB',
      'refuses one byte more as too large',
      'takes a body that comes slowly, and serves others meanwhile',
      'records nothing of a body that ends early',
      'takes 32 connections at once',
    ],
  },
  {
    name: 'takes what came of a body that ends early',
    steps: () => ({
      readBody: async (request) => {
        const chunks: Buffer[] = [];
        request.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', () => undefined);
        await Promise.race([once(request, 'end'), once(request, 'aborted')]);
        return Buffer.concat(chunks);
      },
    }),
    caughtBy: ['records nothing of a body that ends early'],
  },
  {
    name: 'gathers all bodies in one buffer',
    steps: () => {
      const chunks: Buffer[] = [];
      return {
        readBody: async (request) => {
          for await (const chunk of request) chunks.push(chunk);
          return Buffer.concat(chunks.splice(0));
        },
      };
    },
    caughtBy: [
      'answers repeats at the same time alike',
      'keeps one whole record when all comes at once, and repeated',
      'takes a body that comes slowly, and serves others meanwhile',
      'takes 32 connections at once',
      'judges each of several requests on one connection by itself',
    ],
  },
  {
    name: 'has room for 1 MiB',
    steps: () => ({
      readBody: async (request) => {
        const body = await reference.readBody(request);
        if (body.length > 2 ** 20) throw new RangeError('no room');
        return body;
      },
    }),
    caughtBy: ['survives a body of 11 MiB'],
  },
  {
    name: 'has no limit',
    steps: () => ({ isTooLarge: () => false }),
    caughtBy: ['refuses one byte more as too large'],
  },
  {
    name: 'counts characters instead of bytes',
    steps: () => ({ isTooLarge: (body) => body.toString().length > limitBytes }),
    caughtBy: ['refuses one byte more as too large'],
  },
  {
    name: 'takes its limit for too large',
    steps: () => ({ isTooLarge: (body) => body.length >= limitBytes }),
    caughtBy: ['accepts a body of exactly 512 KiB'],
  },
  {
    name: 'serves 16 connections',
    steps: () => ({}),
    maxConnections: 16,
    caughtBy: ['takes 32 connections at once'],
  },
];
