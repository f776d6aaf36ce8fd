import { type Delivery, getJson, type Overview, type UploadHistory, type UploadRecord } from './api.ts';
import { byId, eventName, make, patch, shortName, statusBadge, timeOf } from './elements.ts';
import { eventsOf } from './records.ts';

const input = byId<HTMLInputElement>('upload');

/** The id in the input field, or an empty string. */
export function chosenUpload(): string {
  return input.value.trim();
}

export function chooseUpload(userUpload: string): void {
  input.value = userUpload;
}

/** Shows the status and history of the chosen document, and enables the buttons that need it at the fake Argyle. */
export async function showDocument({ events }: Overview): Promise<void> {
  const id = chosenUpload();
  const isId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id);
  const history = isId
    ? await getJson<UploadHistory>(`/console/uploads/${id}/history`).catch(() => undefined)
    : undefined;
  if (id !== chosenUpload()) return;
  for (const button of document.querySelectorAll<HTMLButtonElement>('#argyle button:not([data-value="upload"])'))
    button.disabled = !history?.isAtArgyle;
  if (history) patch(byId('document'), ...contentOf(id, history, events));
  else if (!isId) patch(byId('document'), empty('Choose a record or enter an id to see its status and history.'));
}

function contentOf(id: string, { record, deliveries }: UploadHistory, events: Overview['events']): Node[] {
  const status = record ? statusBadge(record.status) : make('span', { class: 'badge' }, 'no record');
  return [
    make('p', { class: 'line' }, make('code', {}, id), status),
    ...(record ? recordContent(record, events) : [empty('This document has no record.')]),
    make('h3', {}, 'Deliveries since the start'),
    deliveries.length > 0 ? deliveryTable(deliveries) : empty('No delivery of this document is in memory.'),
  ];
}

function recordContent(record: UploadRecord, events: Overview['events']): Node[] {
  const history = eventsOf(record, events).map(({ event, time }) =>
    make('li', {}, timeOf(time), make('span', {}, ...eventName(event))),
  );
  const { userUpload, status, document, ...attributes } = record;
  const slots = events.map(({ slot }) => slot);
  const facts = Object.entries(attributes).filter(([name]) => !slots.includes(name));
  return [
    make('h3', {}, 'First received (UTC)'),
    make('ol', { class: 'history' }, ...history),
    make(
      'dl',
      {},
      ...[...facts, ...Object.entries(Object(document ?? {}))].flatMap(([name, value]) => [
        make('dt', {}, name),
        make('dd', {}, textOf(value)),
      ]),
    ),
  ];
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOf).join('; ') || 'none';
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.entries(value)
    .map(([name, part]) => `${name} ${textOf(part)}`)
    .join(', ');
}

function deliveryTable(deliveries: readonly Delivery[]): HTMLElement {
  const headings = ['Received', 'Event', 'Answer', 'Result'].map((text) => make('th', { scope: 'col' }, text));
  const rows = deliveries.map(({ event = '–', receivedAt, answer, attempts }) => {
    const results = attempts.map(({ outcome }) => outcome).join('; ') || (answer === 'accepted' ? 'in its queue' : '–');
    const cells = [receivedAt ? timeOf(receivedAt) : 'no webhook', shortName(event), answer ?? '–', results];
    return make('tr', {}, ...cells.map((content) => make('td', {}, content)));
  });
  const head = make('thead', {}, make('tr', {}, ...headings));
  return make('table', { class: 'deliveries' }, head, make('tbody', {}, ...rows));
}

function empty(text: string): HTMLElement {
  return make('p', { class: 'muted' }, text);
}
