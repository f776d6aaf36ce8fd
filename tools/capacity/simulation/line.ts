/** A message on its way: when it arrived, and how often it was received. */
export type Message = { readonly arrivedMs: number; receives: number };

/** A standard queue as its receivers see it. */
export type Line = {
  readonly put: (message: Message) => void;
  /** Up to so many messages that are visible now; they are in flight until they are put back or done. */
  readonly take: (atMost: number) => Message[];
  readonly done: (count: number) => void;
  /** A message that was in flight is visible again. */
  readonly putBack: (message: Message) => void;
  readonly visible: () => number;
  readonly inFlight: () => number;
  /** Messages that were received too often. */
  readonly dead: () => number;
};

/** An empty queue, first in, first out: SQS promises no order, and none matters here. */
export function createLine(limits: { readonly maxReceiveCount: number; readonly inFlightLimit: number }): Line {
  let messages: Message[] = [];
  let head = 0;
  let inFlight = 0;
  let dead = 0;
  const next = (): Message | undefined => {
    const message = messages[head];
    head += 1;
    if (head > 10_000 && head > messages.length / 2) {
      messages = messages.slice(head);
      head = 0;
    }
    return message;
  };
  return {
    put: (message) => messages.push(message),
    take: (atMost) => {
      const taken: Message[] = [];
      while (taken.length < atMost && head < messages.length && inFlight < limits.inFlightLimit) {
        const message = next();
        if (!message) break;
        // Instead of the receive after the last one, SQS moves it to the dead-letter queue.
        if (message.receives === limits.maxReceiveCount) dead += 1;
        else {
          message.receives += 1;
          inFlight += 1;
          taken.push(message);
        }
      }
      return taken;
    },
    done: (count) => {
      inFlight -= count;
    },
    putBack: (message) => {
      inFlight -= 1;
      messages.push(message);
    },
    visible: () => messages.length - head,
    inFlight: () => inFlight,
    dead: () => dead,
  };
}
