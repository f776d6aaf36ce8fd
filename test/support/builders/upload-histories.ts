import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { type EventType, eventTypes } from '../../../functions/domain/events.ts';
import { sample } from './builders.ts';

/** One event of a document's history. */
export type Message = { readonly event: EventType; readonly receivedAt: string };
export type Item = Record<string, AttributeValue>;

/** Returns an event that was received this many minutes past a fixed hour. */
export function messageAt(event: EventType, minute: number): Message {
  return { event, receivedAt: `2026-11-24T10:${String(minute).padStart(2, '0')}:00.123Z` };
}

/** Returns every order of every multiset of 1 to `size` events, each with a different receipt time. */
export function ordersOfMultisets(size: number): readonly (readonly Message[])[] {
  return multisets(eventTypes, size).flatMap((kinds) => permutations(kinds.map(messageAt)));
}

/** Messages that arrive for a document after others. */
export type Arrival = { readonly before: readonly Message[]; readonly history: readonly Message[] };

/**
 * Returns every case in which one message of a set arrives after the messages of any subset of that set. The subset may contain
 * the message itself, which then is a repeat. Cases that start from the same record, and cases whose times differ but have the
 * same order, are returned once. The messages of each set must be sorted by time.
 */
export function singleArrivals(sets: readonly (readonly Message[])[]): readonly Arrival[] {
  const all = sets.flatMap((set) =>
    subsets(set).flatMap((before) => set.map((message) => canonicalArrival(firstOfEachEvent(before), message))),
  );
  return [...new Map(all.map((arrival) => [JSON.stringify(arrival), arrival])).values()];
}

/** Returns every multiset of `size` events, each with a different receipt time. */
export function setsOf(size: number): readonly (readonly Message[])[] {
  return multisets(eventTypes, size)
    .filter(({ length }) => length === size)
    .map((kinds) => kinds.map(messageAt));
}

// From the design. Deliberately not read from the catalogue.
const slots: Readonly<Record<EventType, string>> = {
  'user_uploads.added': 'addedAt',
  'user_uploads.removed': 'removedAt',
  'user_uploads.ocr_completed': 'ocrCompletedAt',
  'user_uploads.ocr_failed': 'ocrFailedAt',
  'user_uploads.ocr_authenticity': 'authenticityAt',
};

/** The oracle: each slot has the earliest receipt time of its event, and the removal determines the expiry. */
export function expectedRecord(
  userUpload: string,
  history: readonly Message[],
  retentionDays: number,
  { account, user }: { readonly account: string; readonly user?: string } = sample,
): Item {
  const record: Item = { userUpload: { S: userUpload }, account: { S: account }, ...(user && { user: { S: user } }) };
  const latestFirst = [...history].sort((one, other) => (one.receivedAt < other.receivedAt ? 1 : -1));
  for (const { event, receivedAt } of latestFirst) {
    record[slots[event]] = { S: receivedAt };
    if (event !== 'user_uploads.removed') continue;
    const expiresAt = Math.floor(Date.parse(receivedAt) / 1_000) + retentionDays * 24 * 60 * 60;
    record.expiresAt = { N: String(expiresAt) };
  }
  return record;
}

/** Returns an item as text, independent of the order of its attributes. */
export function textOf(item: Item | undefined): string {
  return JSON.stringify(Object.entries(item ?? {}).sort(([one], [other]) => (one < other ? -1 : 1)));
}

function canonicalArrival(before: readonly Message[], message: Message): Arrival {
  const times = [...new Set([...before, message].map(({ receivedAt }) => receivedAt))].sort();
  const retime = ({ event, receivedAt }: Message) => messageAt(event, times.indexOf(receivedAt));
  return { before: before.map(retime), history: [retime(message)] };
}

function firstOfEachEvent(messages: readonly Message[]): readonly Message[] {
  return messages.filter(({ event }, index) => messages.findIndex((other) => other.event === event) === index);
}

function multisets<Kind>(kinds: readonly Kind[], size: number): readonly (readonly Kind[])[] {
  if (size === 0) return [];
  return kinds.flatMap((kind, index) => [
    [kind],
    ...multisets(kinds.slice(index), size - 1).map((rest) => [kind, ...rest]),
  ]);
}

function subsets<Value>([first, ...rest]: readonly Value[]): readonly (readonly Value[])[] {
  if (first === undefined) return [[]];
  const without = subsets(rest);
  return [...without, ...without.map((subset) => [first, ...subset])];
}

function permutations<Value>(values: readonly Value[]): readonly (readonly Value[])[] {
  if (values.length < 2) return [values];
  return values.flatMap((value, index) => permutations(values.toSpliced(index, 1)).map((rest) => [value, ...rest]));
}
