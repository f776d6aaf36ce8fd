/** A message, with the number of times that it was received, and the time when it was sent. */
export type Message = { receives: number; readonly sentMs: number };

export type Queue = ReturnType<typeof createQueue>;

/** Creates a standard SQS queue. It is first in, first out: SQS guarantees no order, and the simulation depends on none. */
export function createQueue(limits: { readonly maxReceiveCount: number; readonly maxInFlight: number }) {
  let messages: Message[] = [];
  let head = 0;
  let inFlight = 0;
  let dead = 0;
  return {
    send: (message: Message) => messages.push(message),
    /** Receives up to `max` visible messages, which are in flight until they are returned or deleted. */
    receive: (max: number): readonly Message[] => {
      const received: Message[] = [];
      while (received.length < max && inFlight < limits.maxInFlight) {
        const message = messages[head];
        if (!message) break;
        head += 1;
        message.receives += 1;
        // Instead of receiving it once more, SQS moves the message to the dead-letter queue.
        if (message.receives > limits.maxReceiveCount) {
          dead += 1;
          continue;
        }
        inFlight += 1;
        received.push(message);
      }
      // Frees the memory of the messages that were received.
      if (head > 10_000 && head > messages.length / 2) {
        messages = messages.slice(head);
        head = 0;
      }
      return received;
    },
    delete: (count: number) => {
      inFlight -= count;
    },
    /** Moves a message that was in flight to the dead-letter queue. */
    giveUp: () => {
      inFlight -= 1;
      dead += 1;
    },
    /** Makes a message that was in flight visible again. */
    return: (message: Message) => {
      inFlight -= 1;
      messages.push(message);
    },
    visible: () => messages.length - head,
    inFlight: () => inFlight,
    dead: () => dead,
  };
}
