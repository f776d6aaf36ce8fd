type EventDefinition = {
  /** When Argyle sends it, for docs/events.md. */
  readonly meaning: string;
  /** What users of the records miss while this event is not applied; the text of its alarms. */
  readonly failureImpact: string;
  /** The attribute of the upload record that holds the earliest receipt time of this event. */
  readonly slot: `${string}At`;
};

/**
 * THE catalogue: the only place that names the event types. Queue, dead-letter queue, worker, alarms, docs page
 * and local pipeline follow from it. Meanings: Argyle's webhook documentation, read 2026-11-24.
 */
export const events = {
  'user_uploads.added': {
    meaning: 'A document was uploaded to Link; for first-time uploads only after the user selects "Submit".',
    failureImpact: 'New documents do not appear: whoever waits for an upload believes that the user has not sent it.',
    slot: 'addedAt',
  },
  'user_uploads.removed': {
    meaning: 'The user deleted the document in Link, or the account that it belongs to was deleted.',
    failureImpact:
      'Documents that users took back still look valid, and their personal data is kept longer than it may be.',
    slot: 'removedAt',
  },
  'user_uploads.ocr_completed': {
    meaning: 'OCR data is available for the document; not sent if any OCR error occurred.',
    failureImpact: 'Documents that were read successfully still look unread: decisions based on their data wait.',
    slot: 'ocrCompletedAt',
  },
  'user_uploads.ocr_failed': {
    meaning: 'OCR could not be completed for the document.',
    failureImpact: 'Unreadable documents go unnoticed: nobody asks the user for a better copy.',
    slot: 'ocrFailedAt',
  },
  'user_uploads.ocr_authenticity': {
    meaning: 'Authenticity data is available for the document.',
    failureImpact: 'Authenticity results are not seen: a suspicious document may pass for an unchecked one.',
    slot: 'authenticityAt',
  },
} as const satisfies Record<string, EventDefinition>;

/** The name of an event as Argyle spells it. */
export type EventType = keyof typeof events;

/** An attribute of the upload record that one event writes. */
export type Slot = (typeof events)[EventType]['slot'];

/** All event types, in the catalogue's order. */
export const eventTypes = Object.keys(events) as readonly EventType[];

/** Whether a name taken from outside is one of the catalogue's events. */
export function isEventType(name: string): name is EventType {
  return Object.hasOwn(events, name);
}

/** The event that writes a slot. */
export function eventOf(slot: Slot): EventType {
  const event = eventTypes.find((name) => events[name].slot === slot);
  if (!event) throw new Error(`No event of the catalogue writes ${slot}.`);
  return event;
}
