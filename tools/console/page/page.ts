import { createActions } from './actions.ts';
import { createChanges } from './changes.ts';
import { createChart } from './chart.ts';
import { createDocumentPanel } from './document.ts';
import { byId, say } from './elements.ts';
import { createFunnel } from './funnel.ts';
import { createLanes } from './lanes.ts';
import { createRecords } from './records.ts';
import { ask } from './requests.ts';
import type { Overview } from './view.ts';

const pauseMs = 1_000;
const field = byId<HTMLInputElement>('upload');

const actions = createActions({ chosenUpload: () => field.value.trim(), choose, refresh });
const documentPanel = createDocumentPanel(actions.allowArgyle);

// Each shows its part of the overview. A further section is one more line here.
const sections = [
  createFunnel(),
  createChart(),
  createLanes((event, label) => void actions.redrive(event, label)),
  createRecords(lookAt),
  createChanges(lookAt),
  actions.show,
  documentPanel.refresh,
];

byId('find').addEventListener('submit', (event) => {
  event.preventDefault();
  lookAt(field.value.trim());
});
byId('clear').addEventListener('click', () => {
  choose('');
  field.focus();
  void refresh();
});
document.addEventListener('visibilitychange', () => void refresh());
void keepRefreshing();

function choose(userUpload: string): void {
  field.value = userUpload;
  documentPanel.choose(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(userUpload) ? userUpload : '');
}

function lookAt(userUpload: string): void {
  choose(userUpload);
  byId('document-title').focus();
  void refresh();
}

async function refresh(): Promise<void> {
  const overview = await ask<Overview>('/console/overview').catch(() => undefined);
  const badge = byId('connection');
  badge.dataset['status'] = overview ? 'live' : 'gone';
  say(badge, overview ? 'live' : 'The local pipeline does not answer.');
  if (!overview) return;
  say(byId('stack-name'), overview.stackName);
  say(byId('webhook-url'), overview.webhookUrl);
  for (const show of sections) await show(overview);
}

// A page that nobody sees asks for nothing.
async function keepRefreshing(): Promise<void> {
  if (!document.hidden) await refresh();
  setTimeout(keepRefreshing, pauseMs);
}
