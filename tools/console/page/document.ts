import { byId, eventName, make, shortName, timeOf } from './elements.ts';
import { eventsOf, statusBadge } from './records.ts';
import { ask } from './requests.ts';
import type { Delivery, Overview, UploadHistory, UploadRecord } from './view.ts';

/** The document that the page looks at. */
export type DocumentPanel = ReturnType<typeof createDocumentPanel>;

/** Shows one document's status and history; `onShown` is told whether the fake Argyle has it. */
export function createDocumentPanel(onShown: (isAtArgyle: boolean) => void) {
  const place = byId('document');
  place.append(nothingChosen());
  let chosen = '';
  let shown = 'nothing';
  const show = (key: string, ...content: readonly Node[]): void => {
    // Only what has changed is drawn again, so that a text can be selected.
    if (key !== shown) place.replaceChildren(...content);
    shown = key;
  };
  return {
    choose: (userUpload: string): void => {
      if (userUpload !== chosen) show('', ...(userUpload ? [identityOf(userUpload, make('span'))] : [nothingChosen()]));
      chosen = userUpload;
    },
    refresh: async ({ events }: Overview): Promise<void> => {
      if (!chosen) return onShown(false);
      const asked = chosen;
      const history = await ask<UploadHistory>(`/console/uploads/${asked}/history`).catch(() => undefined);
      if (!history || asked !== chosen) return;
      onShown(history.isAtArgyle);
      show(JSON.stringify([asked, history]), ...contentOf(asked, history, events));
    },
  };
}

function contentOf(userUpload: string, { record, deliveries }: UploadHistory, events: Overview['events']): Node[] {
  const status = record ? statusBadge(record.status) : make('span', { class: 'badge' }, 'no record');
  return [
    identityOf(userUpload, status),
    ...(record
      ? recordContent(record, events)
      : [make('p', { class: 'empty' }, 'There is no record of this document.')]),
    make('h3', {}, 'Deliveries seen since the start'),
    deliveries.length > 0 ? deliveryTable(deliveries) : make('p', { class: 'empty' }, 'None was kept.'),
  ];
}

function nothingChosen(): HTMLElement {
  return make('p', { class: 'empty' }, 'Choose a record or enter an id to see its status and history.');
}

function identityOf(userUpload: string, status: HTMLElement): HTMLElement {
  return make('p', { class: 'identity' }, make('code', {}, userUpload), status);
}

function recordContent(record: UploadRecord, events: Overview['events']): Node[] {
  const history = eventsOf(record, events).map(({ event, time }) =>
    make('li', {}, timeOf(time), make('span', {}, ...eventName(event))),
  );
  const slots = events.map(({ slot }) => slot);
  const facts = Object.entries(record).filter(
    ([name]) => !['userUpload', 'status', 'document', ...slots].includes(name),
  );
  const document = Object.entries(Object(record['document'] ?? {}));
  return [
    make('h3', {}, 'First received (UTC)'),
    make('ol', { class: 'history' }, ...history),
    make('dl', {}, ...[...facts, ...document].flatMap(([name, value]) => [make('dt', {}, name), valueCell(value)])),
  ];
}

function valueCell(value: unknown): HTMLElement {
  return make('dd', {}, textOf(value));
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOf).join('; ') || 'none';
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.entries(value)
    .map(([name, part]) => `${name} ${textOf(part)}`)
    .join(', ');
}

function deliveryTable(deliveries: readonly Delivery[]): HTMLElement {
  const headings = ['Received', 'Event', 'Answer', 'Then'].map((text) => make('th', { scope: 'col' }, text));
  const rows = deliveries.map(({ event, receivedAt, answer, attempts }) => {
    const outcomes = attempts.map(({ outcome }) => outcome).join('; ');
    return make(
      'tr',
      {},
      make('td', {}, receivedAt ? timeOf(receivedAt) : 'by no webhook'),
      make('td', {}, shortName(event ?? '–')),
      make('td', {}, answer ?? '–'),
      make('td', {}, outcomes || (answer === 'accepted' ? 'in its queue' : '–')),
    );
  });
  return make(
    'table',
    { class: 'deliveries' },
    make('thead', {}, make('tr', {}, ...headings)),
    make('tbody', {}, ...rows),
  );
}
