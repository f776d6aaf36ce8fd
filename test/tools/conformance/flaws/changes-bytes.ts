import { reference } from '../reference.ts';
import { type Flaw, keepsForgeries } from './flaw.ts';

const { enqueue, isSigned } = reference;

/** Receivers that verify or keep something else than the raw bytes. */
export const changesBytes: readonly Flaw[] = [
  {
    name: 'verifies the body without the whitespace around it',
    steps: () => ({
      isSigned: (body, ...rest) =>
        isSigned(
          changed(body, (text) => text.trim()),
          ...rest,
        ),
    }),
    caughtBy: [
      'refuses a tampered body',
      'takes whitespace as it was signed',
      'takes bytes that are no text as they were signed',
      'keeps every byte of what it understands',
      'keeps every byte of what it does not understand',
      ...keepsForgeries,
    ],
  },
  {
    name: 'normalises unicode before it verifies',
    steps: () => ({
      isSigned: (body, ...rest) =>
        isSigned(
          changed(body, (text) => text.normalize('NFC')),
          ...rest,
        ),
    }),
    caughtBy: ['takes unicode as it was signed', 'keeps every byte of what it understands'],
  },
  {
    name: 'resolves escapes before it verifies',
    steps: () => ({
      isSigned: (body, ...rest) =>
        isSigned(
          changed(body, (text) => text.replaceAll('\\/', '/')),
          ...rest,
        ),
    }),
    caughtBy: ['takes escapes as it was signed', 'keeps every byte of what it understands'],
  },
  {
    name: 'verifies text instead of bytes',
    steps: () => ({ isSigned: (body, ...rest) => isSigned(Buffer.from(body.toString()), ...rest) }),
    caughtBy: ['takes bytes that are no text as they were signed', 'keeps every byte of what it does not understand'],
  },
  {
    name: 'queues re-serialised JSON',
    steps: () => ({
      enqueue: (world, message) =>
        enqueue(world, {
          ...message,
          body: message.event ? changed(message.body, (text) => JSON.stringify(JSON.parse(text))) : message.body,
        }),
    }),
    caughtBy: ['keeps every byte of what it understands'],
  },
  {
    name: 'queues text instead of bytes',
    steps: () => ({
      enqueue: (world, message) => enqueue(world, { ...message, body: Buffer.from(message.body.toString()) }),
    }),
    caughtBy: ['keeps every byte of what it does not understand'],
  },
];

// Bytes that are no text stay as they are.
function changed(body: Buffer, change: (text: string) => string): Buffer {
  const text = body.toString();
  return Buffer.from(text).equals(body) ? Buffer.from(change(text)) : body;
}
