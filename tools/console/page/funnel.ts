import type { Overview } from './api.ts';
import { byId, countOf, make, patch } from './elements.ts';

/** Shows how many webhooks reached each step, as on the dashboard. */
export function showFunnel({ answers, lanes }: Overview): void {
  const { accepted, quarantined, bad_signature, too_large, unavailable } = answers;
  const sum = (count: (lane: Overview['lanes'][number]) => number) =>
    lanes.reduce((total, lane) => total + count(lane), 0);
  const repeated = sum((lane) => lane.repeated);
  const waiting = sum(({ visible, inFlight }) => visible + inFlight);
  const verified = accepted + quarantined + too_large;
  const received = verified + bad_signature + unavailable;
  const step = (name: string, count: number, ...notes: readonly string[]) =>
    make(
      'li',
      {},
      make('span', {}, name),
      make('strong', { 'data-step': name.toLowerCase() }, count.toLocaleString('en')),
      make('progress', { value: count, max: Math.max(received, 1), 'aria-hidden': 'true' }),
      make('span', { class: 'muted' }, notes.filter(Boolean).join(', ')),
    );
  patch(
    byId('funnel'),
    step('Received', received, note(unavailable, 'answered 503')),
    step('Verified', verified, note(bad_signature, 'refused')),
    step('Queued', accepted + quarantined, note(quarantined, 'in quarantine'), note(too_large, 'too large')),
    step('Applied', sum((lane) => lane.applied) + repeated, countOf(repeated, 'repeat'), note(waiting, 'waiting')),
  );
}

function note(count: number, text: string): string {
  return count === 0 ? '' : `${count.toLocaleString('en')} ${text}`;
}
