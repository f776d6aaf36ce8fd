import type { Overview } from './api.ts';
import { byId, countOf, make, patch } from './elements.ts';

/** Shows how many webhooks reached each step. */
export function showFunnel({ funnel, lanes }: Overview): void {
  const { received, verified, badSignature, unavailable, tooLarge, queued, quarantined, applied, repeated } = funnel;
  const waiting = lanes.reduce((sum, { visible, inFlight }) => sum + visible + inFlight, 0);
  const step = (name: string, count: number, ...notes: readonly string[]) =>
    make(
      'li',
      {},
      make('span', { class: 'step' }, name),
      make('strong', { 'data-step': name.toLowerCase() }, count.toLocaleString('en')),
      make('progress', { value: count, max: Math.max(received, 1), 'aria-hidden': 'true' }),
      make('span', { class: 'muted' }, notes.filter(Boolean).join(', ')),
    );
  patch(
    byId('funnel'),
    step('Received', received, note(unavailable, 'answered 503')),
    step('Verified', verified, note(badSignature, 'refused')),
    step('Queued', queued, note(quarantined, 'in quarantine'), note(tooLarge, 'too large')),
    step('Applied', applied, countOf(repeated, 'repeat'), note(waiting, 'waiting')),
  );
}

function note(count: number, text: string): string {
  return count === 0 ? '' : `${count.toLocaleString('en')} ${text}`;
}
