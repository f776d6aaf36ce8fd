import { byId, countOf, make, say } from './elements.ts';
import type { Overview } from './view.ts';

type Step = { readonly name: string; readonly count: number; readonly note: string; readonly isAlarming?: boolean };

/** Shows how many webhooks came how far. */
export function createFunnel() {
  const list = byId('funnel');
  return ({ funnel, lanes }: Overview): void => {
    const { received, verified, badSignature, unavailable, tooLarge, queued, quarantined, applied, repeated } = funnel;
    const waiting = lanes.reduce((sum, { visible, inFlight }) => sum + visible + inFlight, 0);
    const steps: readonly Step[] = [
      { name: 'Received', count: received, note: counted(unavailable, 'answered 503') },
      { name: 'Verified', count: verified, note: counted(badSignature, 'refused') },
      {
        name: 'Queued',
        count: queued,
        note: listed(counted(quarantined, 'in quarantine'), counted(tooLarge, 'too large')),
      },
      { name: 'Applied', count: applied, note: listed(countOf(repeated, 'repeat'), counted(waiting, 'waiting')) },
    ];
    if (list.childElementCount === 0) list.append(...steps.map(emptyStep));
    for (const [index, step] of steps.entries()) fill(list.children[index] as HTMLElement, step, received);
  };
}

function emptyStep({ name }: Step): HTMLElement {
  const bar = make('span', { class: 'bar', 'aria-hidden': 'true' });
  const count = make('strong', { 'data-step': name.toLowerCase() });
  return make('li', {}, make('span', { class: 'step' }, name), count, bar, make('span', { class: 'muted note' }));
}

function fill(element: HTMLElement, { count, note }: Step, whole: number): void {
  const [, number, bar, remark] = element.children;
  if (!number || !(bar instanceof HTMLElement) || !remark) return;
  say(number, count.toLocaleString('en'));
  say(remark, note);
  bar.style.setProperty('--share', String(whole === 0 ? 0 : Math.min(1, count / whole)));
}

function counted(count: number, what: string): string {
  return count === 0 ? '' : `${count.toLocaleString('en')} ${what}`;
}

function listed(...texts: readonly string[]): string {
  return texts.filter(Boolean).join(', ');
}
