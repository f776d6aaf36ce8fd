import type { Lane, Overview } from './api.ts';
import { actionButton, byId, countOf, eventName, make, patch } from './elements.ts';

/** Shows each event's queue and worker, and the quarantine. */
export function showLanes({ lanes, quarantine }: Overview): void {
  patch(byId('lanes'), ...lanes.map(laneRow), quarantineRow(quarantine));
  patch(byId('lane-warning'), warning(lanes, quarantine.visible + quarantine.inFlight));
}

function laneRow({ event, visible, inFlight, applied, repeated, retried, dead, deadBeingRead }: Lane): HTMLElement {
  const notes = [countOf(repeated, 'repeat'), countOf(retried, 'failed attempt')].filter(Boolean).join(', ');
  return row(
    event,
    cell('visible', text(visible)),
    cell('inFlight', text(inFlight)),
    cell('applied', text((applied + repeated).toLocaleString('en')), make('div', { class: 'muted' }, notes)),
    cell(
      'dead',
      alarming(dead),
      redriveButton('Redrive', event, dead === 0),
      make('div', { class: 'muted' }, deadBeingRead > 0 ? `${deadBeingRead} being read` : ''),
    ),
  );
}

function quarantineRow({ visible, inFlight }: Overview['quarantine']): HTMLElement {
  return row(
    'quarantine',
    cell('visible', alarming(visible)),
    cell('inFlight', alarming(inFlight)),
    cell('applied', text('–')),
    cell('dead', text('–'), redriveButton('Release', 'quarantine', visible + inFlight === 0)),
  );
}

function row(event: string, ...cells: readonly HTMLElement[]): HTMLElement {
  return make('tr', { 'data-key': event }, make('th', { scope: 'row' }, ...eventName(event)), ...cells);
}

function cell(name: string, ...content: readonly HTMLElement[]): HTMLElement {
  return make('td', { class: 'number', 'data-cell': name }, ...content);
}

function text(value: number | string): HTMLElement {
  return make('span', {}, String(value));
}

function alarming(count: number): HTMLElement {
  return count > 0 ? make('span', { class: 'alarm' }, String(count)) : text(count);
}

function redriveButton(verb: string, event: string, disabled: boolean): HTMLElement {
  return actionButton('redrive', event, { class: 'small', 'aria-label': `${verb} ${event}`, disabled }, verb);
}

function warning(lanes: readonly Lane[], quarantined: number): string {
  const withDead = lanes.filter(({ dead }) => dead > 0);
  const dead = withDead.reduce((sum, lane) => sum + lane.dead, 0);
  const events = withDead.map(({ event }) => event).join(', ');
  const texts = [
    dead > 0 && `${dead} dead in ${events}: npm run uploads -- --local dead show explains why.`,
    quarantined > 0 && `${quarantined} in quarantine: signed, but not understood.`,
  ];
  return texts.filter(Boolean).join(' ') || 'No dead letters, nothing in quarantine.';
}
