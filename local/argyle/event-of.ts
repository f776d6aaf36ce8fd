import { type EventType, events, eventTypes, type Slot } from '../../functions/domain/events.ts';

/** The event that writes a slot of the record: how the fake Argyle knows which name means what. */
export function eventOf(slot: Slot): EventType {
  const event = eventTypes.find((name) => events[name].slot === slot);
  if (!event) throw new Error(`No event of the catalogue writes ${slot}.`);
  return event;
}
