import { byId, keyedList, make, say, shortName, timeOf } from './elements.ts';
import type { Overview, UploadRecord } from './view.ts';

/** An event that a record knows of, with the time at which it was first received. */
export type KnownEvent = { readonly event: string; readonly time: string };

/** The events that a record knows of, in time order. */
export function eventsOf(record: UploadRecord, catalogue: Overview['events']): readonly KnownEvent[] {
  return catalogue
    .flatMap(({ event, slot }) => {
      const time = record[slot];
      return typeof time === 'string' ? [{ event, time }] : [];
    })
    .sort((one, other) => one.time.localeCompare(other.time));
}

/** A status as it stands out. */
export function statusBadge(status: string): HTMLElement {
  return make('span', { class: 'badge', 'data-status': status }, status);
}

/** Shows the newest records; `choose` is told the id of one that is clicked. */
export function createRecords(choose: (userUpload: string) => void) {
  let catalogue: Overview['events'] = [];
  const fill = (row: HTMLElement, record: UploadRecord): void => {
    const last = eventsOf(record, catalogue).at(-1);
    const [, status, change] = row.children;
    if (!status || !change || row.dataset['shown'] === `${record.status} ${last?.time}`) return;
    row.dataset['shown'] = `${record.status} ${last?.time}`;
    status.replaceChildren(statusBadge(record.status));
    if (last) change.replaceChildren(timeOf(last.time), ' ', shortName(last.event));
  };
  const list = keyedList<UploadRecord>(
    byId('records'),
    ({ userUpload }) => userUpload,
    (record) => createRow(record.userUpload, choose),
    fill,
  );
  return ({ records, events }: Overview): void => {
    catalogue = events;
    const { total, newest } = records;
    list(newest);
    byId('no-records').hidden = total > 0;
    say(
      byId('record-count'),
      newest.length < total ? `the newest ${newest.length} of ${total.toLocaleString('en')}` : String(total),
    );
  };
}

/** A row that begins with a document's id, which can be chosen, and has two more cells. */
export function createRow(userUpload: string, choose: (userUpload: string) => void): HTMLElement {
  // What is short of place shows the first eight digits.
  const rest = make('span', { class: 'rest' }, userUpload.slice(8));
  const button = make('button', { type: 'button', class: 'link' }, userUpload.slice(0, 8), rest);
  button.addEventListener('click', () => choose(userUpload));
  return make('tr', {}, make('th', { scope: 'row' }, button), make('td'), make('td'));
}
