import { runAction, showActions } from './actions.ts';
import { getJson, type Overview } from './api.ts';
import { showChart } from './chart.ts';
import { chooseUpload, chosenUpload, showDocument } from './document.ts';
import { byId, patch } from './elements.ts';
import { showFunnel } from './funnel.ts';
import { showLanes } from './lanes.ts';
import { showChanges, showRecords } from './records.ts';

const pauseMs = 1_000;

// Each function shows its part of the overview. Add a section here and in page.html.
const sections = [showFunnel, showChart, showLanes, showRecords, showChanges, showActions, showDocument];

document.addEventListener('click', async ({ target }) => {
  const button = target instanceof Element ? target.closest<HTMLButtonElement>('button[data-action]') : null;
  if (!button) return;
  if (button.dataset['action'] === 'show') return show(button.dataset['value'] ?? '');
  await runAction(button);
  await refresh();
});
byId('find').addEventListener('submit', (event) => {
  event.preventDefault();
  show(chosenUpload());
});
byId('clear').addEventListener('click', () => {
  chooseUpload('');
  byId('upload').focus();
  void refresh();
});
document.addEventListener('visibilitychange', () => void refresh());
void keepRefreshing();

function show(userUpload: string): void {
  chooseUpload(userUpload);
  byId('document-title').focus();
  void refresh();
}

async function refresh(): Promise<void> {
  const overview = await getJson<Overview>('/console/overview').catch(() => undefined);
  const badge = byId('connection');
  badge.dataset['status'] = overview ? 'live' : 'gone';
  patch(badge, overview ? 'live' : 'The local pipeline does not answer.');
  if (!overview) return;
  patch(byId('stack-name'), overview.stackName);
  patch(byId('webhook-url'), overview.webhookUrl);
  for (const showSection of sections) await showSection(overview);
}

// A hidden page sends no requests.
async function keepRefreshing(): Promise<void> {
  if (!document.hidden) await refresh();
  setTimeout(keepRefreshing, pauseMs);
}
