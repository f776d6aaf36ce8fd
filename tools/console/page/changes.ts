import { byId, keyedList, say, timeOf } from './elements.ts';
import { createRow, statusBadge } from './records.ts';
import { ask } from './requests.ts';
import type { PublishedChange } from './view.ts';

type Published = { readonly isPublishing: boolean; readonly changes: readonly PublishedChange[] };

const mostShown = 10;

/** Shows what was published last; `choose` is told the id of a document that is clicked. */
export function createChanges(choose: (userUpload: string) => void) {
  const list = keyedList<PublishedChange>(
    byId('changes'),
    ({ id }) => id,
    ({ detail }) => createRow(detail.userUpload, choose),
    fill,
  );
  return async (): Promise<void> => {
    const published = await ask<Published>('/console/changes').catch(() => undefined);
    if (!published) return;
    const { isPublishing, changes } = published;
    list(changes.slice(0, mostShown));
    byId('no-changes').hidden = changes.length > 0;
    const nothing = 'No record has changed yet.';
    say(byId('no-changes'), isPublishing ? nothing : 'Off: the stack was made without publishChanges=true.');
  };
}

function fill(row: HTMLElement, { time, detail }: PublishedChange): void {
  const [, status, published] = row.children;
  if (!status || !published || status.hasChildNodes()) return;
  const { statusBefore, statusAfter } = detail;
  const before = statusBefore && statusBefore !== statusAfter ? [statusBadge(statusBefore), ' → '] : [];
  status.replaceChildren(...before, statusBadge(statusAfter ?? 'gone'));
  published.replaceChildren(timeOf(time));
}
