import { type Overview, postJson, type RedriveResult, type ScenarioResult } from './api.ts';
import { chooseUpload, chosenUpload } from './document.ts';
import { actionButton, byId, eventName, make, patch } from './elements.ts';

const select = byId<HTMLSelectElement>('scenario-event');

/** What a button with this `data-action` does with its `data-value`. Each returns the text to show. */
const actions: Readonly<Record<string, (value: string) => Promise<string>>> = {
  send: async (event) => {
    const upload = chosenUpload() || crypto.randomUUID();
    const { code, status } = await postJson<{ code: number; status: string }>('/console/send', { event, upload });
    chooseUpload(upload);
    return `${code} ${status}`;
  },
  scenario: async (name) => {
    const upload = chosenUpload() || crypto.randomUUID();
    const { answers } = await postJson<ScenarioResult>('/console/scenario', { name, event: select.value, upload });
    if (name === 'duplicate' || name === 'disorder') chooseUpload(upload);
    return Object.entries(answers)
      .map(([answer, times]) => `${times} × ${answer}`)
      .join(', ');
  },
  argyle: async (action) => {
    const { userUpload } = await postJson<{ userUpload?: string }>('/console/argyle', {
      action,
      upload: chosenUpload(),
    });
    if (action === 'upload' && userUpload) chooseUpload(userUpload);
    return 'done';
  },
  redrive: async (event) => {
    const { moved, left, failed, beingRead } = await postJson<RedriveResult>('/console/redrive', { event });
    const notes = [
      left > failed && `${left - failed} not understood and left in the queue`,
      failed > 0 && `${failed} failed to move`,
      beingRead > 0 && `${beingRead} being read by another reader`,
    ];
    return [`${moved} moved`, ...notes].filter(Boolean).join(', ');
  },
};

/** Shows the buttons that depend on the pipeline. */
export function showActions({ hasArgyle, events }: Overview): void {
  byId('argyle').hidden = !hasArgyle;
  const buttons = events.map(({ event, meaning }) =>
    actionButton('send', event, { title: meaning }, make('span', {}, ...eventName(event))),
  );
  patch(byId('events'), ...buttons);
  patch(select, ...events.map(({ event }) => make('option', {}, event)));
}

/** Runs the action of a button, and shows its progress and result. */
export async function runAction(button: HTMLButtonElement): Promise<void> {
  const { action = '', value = '' } = button.dataset;
  const name = button.ariaLabel ?? button.textContent;
  const show = (text: string) => patch(byId('answer'), `${name}: ${text}`);
  show('in progress …');
  show((await actions[action]?.(value).catch((error: Error) => error.message)) ?? '');
}
