/** What is going to happen, in the order of virtual time. */
export type Agenda = {
  /** Virtual milliseconds since the start. */
  readonly nowMs: () => number;
  /** Something that happens at a time; of two at the same time, the one that was planned first happens first. */
  readonly at: (timeMs: number, happen: () => void) => void;
  /** Lets everything happen, until nothing is left or `endMs` is reached. */
  readonly run: (endMs?: number) => void;
};

type Entry = { readonly timeMs: number; readonly order: number; readonly happen: () => void };

/** An empty agenda: a binary heap, so that millions of entries stay fast. No clock is looked at. */
export function createAgenda(): Agenda {
  const heap: Entry[] = [];
  let nowMs = 0;
  let planned = 0;
  return {
    nowMs: () => nowMs,
    at: (timeMs, happen) => {
      planned += 1;
      push(heap, { timeMs: Math.max(timeMs, nowMs), order: planned, happen });
    },
    run: (endMs = Number.POSITIVE_INFINITY) => {
      for (let next = heap[0]; next && next.timeMs <= endMs; next = heap[0]) {
        pop(heap);
        nowMs = next.timeMs;
        next.happen();
      }
    },
  };
}

function isBefore(one: Entry, other: Entry): boolean {
  return one.timeMs < other.timeMs || (one.timeMs === other.timeMs && one.order < other.order);
}

function push(heap: Entry[], entry: Entry): void {
  let index = heap.length;
  heap.push(entry);
  while (index > 0) {
    const parent = (index - 1) >> 1;
    const above = heap[parent];
    if (!above || isBefore(above, entry)) break;
    heap[index] = above;
    index = parent;
  }
  heap[index] = entry;
}

function pop(heap: Entry[]): void {
  const last = heap.pop();
  if (!last || heap.length === 0) return;
  let index = 0;
  for (;;) {
    let child = 2 * index + 1;
    const [left, right] = [heap[child], heap[child + 1]];
    if (left && right && isBefore(right, left)) child += 1;
    const below = heap[child];
    if (!below || isBefore(last, below)) break;
    heap[index] = below;
    index = child;
  }
  heap[index] = last;
}
