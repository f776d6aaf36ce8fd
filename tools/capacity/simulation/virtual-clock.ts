export type VirtualClock = ReturnType<typeof createVirtualClock>;

type Entry = { readonly timeMs: number; readonly order: number; readonly action: () => void };

/** Creates a clock that runs actions in the order of virtual time. A binary heap keeps millions of actions fast. */
export function createVirtualClock() {
  const heap: Entry[] = [];
  let nowMs = 0;
  let order = 0;
  return {
    /** Returns the virtual milliseconds since the start. */
    nowMs: () => nowMs,
    /** Schedules an action. Actions of the same time run in the order in which they were scheduled. */
    at: (timeMs: number, action: () => void) => {
      order += 1;
      push(heap, { timeMs: Math.max(timeMs, nowMs), order, action });
    },
    /** Runs all actions, or those until `endMs`. */
    run: (endMs = Number.POSITIVE_INFINITY) => {
      for (let next = heap[0]; next && next.timeMs <= endMs; next = heap[0]) {
        pop(heap);
        nowMs = next.timeMs;
        next.action();
      }
    },
  };
}

// Without an entry on one side, the other one is before it.
function isBefore(one: Entry | undefined, other: Entry | undefined): boolean {
  if (!one || !other) return one !== undefined;
  return one.timeMs < other.timeMs || (one.timeMs === other.timeMs && one.order < other.order);
}

function push(heap: Entry[], entry: Entry): void {
  let index = heap.length;
  for (let parent = (index - 1) >> 1; index > 0 && isBefore(entry, heap[parent]); parent = (index - 1) >> 1) {
    heap[index] = heap[parent] as Entry;
    index = parent;
  }
  heap[index] = entry;
}

function pop(heap: Entry[]): void {
  const last = heap.pop();
  if (!last || heap.length === 0) return;
  const smallerChild = (index: number) => 2 * index + (isBefore(heap[2 * index + 2], heap[2 * index + 1]) ? 2 : 1);
  let index = 0;
  for (let child = smallerChild(0); isBefore(heap[child], last); child = smallerChild(index)) {
    heap[index] = heap[child] as Entry;
    index = child;
  }
  heap[index] = last;
}
