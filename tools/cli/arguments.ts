import { InvalidArgumentError } from 'commander';
import { type EventType, eventTypes, isEventType } from '../../functions/domain/events.ts';

/** The event that a command is about. */
export const event = ['<event>', `one of ${eventTypes.join(', ')}`, readEvent] as const;
/** For commands that change something. */
export const yes = ['--yes', 'do not ask'] as const;
/** For commands that move messages. */
export const rate = ['--rate <n>', 'messages a second', readCount, 50] as const;
/** For commands that move messages. */
export const dryRun = ['--dry-run', 'say what would happen, and do nothing'] as const;

/** What the options of a command that moves messages ask for. */
export function moveOptions(given: { rate: number; dryRun?: boolean; yes?: boolean }) {
  return { rate: given.rate, dryRun: given.dryRun ?? false, isSure: given.yes ?? false };
}

/** A whole number from 1; commander says what is wrong with anything else. */
export function readCount(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Use a whole number from 1.');
}

function readEvent(name: string): EventType {
  if (isEventType(name)) return name;
  throw new InvalidArgumentError(`Use one of ${eventTypes.join(', ')}.`);
}
