type EventDefinition = {
  /** When Argyle sends the event, for docs/events.md. */
  readonly meaning: string;
  /** The consequence for users of the records while this event is not applied, for its alarms and docs/events.md. */
  readonly failureImpact: string;
  /** The attribute of the upload record with the earliest receipt time of this event. */
  readonly slot: `${string}At`;
};

/**
 * THE catalogue: the only file that lists the event types. Queues, dead-letter queues, workers, alarms, the docs page and
 * the local pipeline are created from it. Source of the meanings: Argyle's webhook documentation, read 2026-11-24.
 */
export const events = {
  'user_uploads.added': {
    meaning: 'A document was uploaded to Link; for first-time uploads only after the user selects "Submit".',
    failureImpact: 'New documents do not appear: they look as if the user had not uploaded them.',
    slot: 'addedAt',
  },
  'user_uploads.removed': {
    meaning: 'The user deleted the document in Link, or the account that it belongs to was deleted.',
    failureImpact:
      'Documents that users deleted still look valid, and their personal data is kept longer than allowed.',
    slot: 'removedAt',
  },
  'user_uploads.ocr_completed': {
    meaning: 'OCR data is available for the document; not sent if any OCR error occurred.',
    failureImpact: 'Documents with OCR data look as if they had none: decisions based on their data are delayed.',
    slot: 'ocrCompletedAt',
  },
  'user_uploads.ocr_failed': {
    meaning: 'OCR could not be completed for the document.',
    failureImpact: 'Unreadable documents go unnoticed, and users are not asked for a better copy.',
    slot: 'ocrFailedAt',
  },
  'user_uploads.ocr_authenticity': {
    meaning: 'Authenticity data is available for the document.',
    failureImpact: 'Authenticity results do not appear: a suspicious document looks like an unchecked one.',
    slot: 'authenticityAt',
  },
} as const satisfies Record<string, EventDefinition>;

/** The name of an event, as Argyle spells it. */
export type EventType = keyof typeof events;

/** The attribute of the upload record that an event writes. */
export type Slot = (typeof events)[EventType]['slot'];

/** All event types, in the catalogue's order. */
export const eventTypes = Object.keys(events) as readonly EventType[];

/** Whether a name is one of the catalogue's events. */
export function isEventType(name: string): name is EventType {
  return Object.hasOwn(events, name);
}

/** Returns the event that writes a slot. */
export function eventOf(slot: Slot): EventType {
  const event = eventTypes.find((name) => events[name].slot === slot);
  if (!event) throw new Error(`No event of the catalogue writes ${slot}.`);
  return event;
}
