import { byId, countOf, eventName, keyedList, make, say } from './elements.ts';
import type { Lane, Overview } from './view.ts';

type Row = Lane & { readonly isQuarantine?: boolean };

/** Shows each event's queue and worker, and the quarantine; `redrive` puts what is dead of an event back, as the button's label says. */
export function createLanes(redrive: (event: string, label: string) => void) {
  const list = keyedList<Row>(
    byId('lanes'),
    ({ event }) => event,
    (row) => createRow(row, redrive),
    fillRow,
  );
  const troubled = byId('troubled');
  return ({ lanes, quarantine }: Overview): void => {
    const none = { applied: 0, repeated: 0, retried: 0, givenUp: 0 };
    list([...lanes, { ...none, ...quarantine, event: 'quarantine', dead: 0, isQuarantine: true }]);
    say(troubled, troubleText(lanes, quarantine.visible));
  };
}

function createRow({ event, isQuarantine }: Row, redrive: (event: string, label: string) => void): HTMLElement {
  const verb = isQuarantine ? 'Release' : 'Redrive';
  const label = `${verb} ${event}`;
  const button = make('button', { type: 'button', class: 'small', 'aria-label': label }, verb);
  button.addEventListener('click', () => redrive(event, label));
  const cell = (name: string, ...children: readonly Node[]) =>
    make('td', { class: 'number', 'data-cell': name }, make('span'), ...children);
  const applied = cell('applied', make('span', { class: 'muted repeats' }));
  return make(
    'tr',
    { 'data-event': event },
    make('th', { scope: 'row' }, ...eventName(event)),
    cell('visible'),
    cell('inFlight'),
    applied,
    cell('dead', button),
  );
}

function fillRow(element: HTMLElement, row: Row): void {
  const { applied, repeated, retried, dead, isQuarantine } = row;
  const values: Readonly<Record<string, string>> = {
    visible: String(row.visible),
    inFlight: String(row.inFlight),
    applied: isQuarantine ? '–' : (applied + repeated).toLocaleString('en'),
    dead: isQuarantine ? '–' : String(dead),
  };
  for (const [name, value] of Object.entries(values)) {
    const [shown] = element.querySelectorAll(`[data-cell="${name}"] > span`);
    if (shown) say(shown, value);
  }
  const repeats = element.querySelector('.repeats');
  const remarks = [countOf(repeated, 'repeat'), countOf(retried, 'failed attempt')];
  if (repeats) say(repeats, remarks.filter(Boolean).join(', '));
  const stuck = isQuarantine ? row.visible : dead;
  element.dataset['alarm'] = stuck === 0 ? '' : isQuarantine ? 'visible' : 'dead';
  const button = element.querySelector('button');
  if (button) button.disabled = stuck === 0;
}

function troubleText(lanes: readonly Lane[], quarantined: number): string {
  const dead = lanes.reduce((sum, lane) => sum + lane.dead, 0);
  if (dead + quarantined === 0) return 'No dead letters, nothing in quarantine.';
  const where = lanes.filter((lane) => lane.dead > 0).map(({ event }) => event);
  const texts = [
    dead > 0 && `${dead} dead in ${where.join(', ')}: npx uploads --local dead show says why.`,
    quarantined > 0 && `${quarantined} in quarantine: signed, but not understood.`,
  ];
  return texts.filter(Boolean).join(' ');
}
