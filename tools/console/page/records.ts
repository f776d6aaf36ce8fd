import { getJson, type Overview, type PublishedChanges, type UploadRecord } from './api.ts';
import { actionButton, byId, make, patch, shortName, statusBadge, timeOf } from './elements.ts';

const maxChanges = 10;

/** The events in a record with the time of their first receipt, in time order. */
export function eventsOf(
  record: UploadRecord,
  catalogue: Overview['events'],
): readonly { readonly event: string; readonly time: string }[] {
  return catalogue
    .flatMap(({ event, slot }) => {
      const time = record[slot];
      return typeof time === 'string' ? [{ event, time }] : [];
    })
    .sort((one, other) => one.time.localeCompare(other.time));
}

/** Shows the newest records. */
export function showRecords({ records: { total, newest }, events }: Overview): void {
  const rows = newest.map((record) => {
    const last = eventsOf(record, events).at(-1);
    const change = last ? [timeOf(last.time), ` ${shortName(last.event)}`] : [];
    return row(record.userUpload, record.userUpload, [statusBadge(record.status)], change);
  });
  patch(byId('records'), ...rows);
  byId('no-records').hidden = total > 0;
  const count = total.toLocaleString('en');
  patch(byId('record-count'), newest.length < total ? `the newest ${newest.length} of ${count}` : count);
}

/** Shows the latest published changes. */
export async function showChanges(): Promise<void> {
  const published = await getJson<PublishedChanges>('/console/changes').catch(() => undefined);
  if (!published) return;
  const { isPublishing, changes } = published;
  const rows = changes.slice(0, maxChanges).map(({ id, time, detail: { userUpload, statusBefore, statusAfter } }) => {
    const before = statusBefore && statusBefore !== statusAfter ? [statusBadge(statusBefore), ' → '] : [];
    return row(id, userUpload, [...before, statusBadge(statusAfter ?? 'deleted')], [timeOf(time)]);
  });
  patch(byId('changes'), ...rows);
  byId('no-changes').hidden = changes.length > 0;
  const off = 'Off: the stack was synthesized without publishChanges=true.';
  patch(byId('no-changes'), isPublishing ? 'No record has changed yet.' : off);
}

function row(key: string, userUpload: string, ...cells: readonly (readonly (Node | string)[])[]): HTMLElement {
  // Narrow windows only show the first eight digits.
  const rest = make('span', { class: 'rest' }, userUpload.slice(8));
  const button = actionButton('show', userUpload, { class: 'link' }, userUpload.slice(0, 8), rest);
  const header = make('th', { scope: 'row' }, button);
  return make('tr', { 'data-key': key }, header, ...cells.map((content) => make('td', {}, ...content)));
}
