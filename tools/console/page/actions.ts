import { byId, eventName, make, say } from './elements.ts';
import { order } from './requests.ts';
import type { ActionResult, Overview } from './view.ts';

/** What the buttons need: the document that they are for, and who is to look again once something was done. */
export type Surroundings = {
  /** The id in the field, or empty. */
  readonly chosenUpload: () => string;
  readonly choose: (userUpload: string) => void;
  readonly refresh: () => Promise<void>;
};

const troubles = [
  ['duplicate', 'Duplicate', 'The same webhook three times: the record stays as the first made it.'],
  ['disorder', 'Out of order', 'All events of one document, the last first: the record is the same.'],
  ['forgery', 'Bad signature', 'Signed with another secret: 401, and nothing is stored.'],
  ['unknown', 'Not understood', 'Signed, but an unknown event: kept in quarantine.'],
  ['poison', 'Poison', 'A message on the queue that no worker can read: dead within seconds, alone.'],
  ['flood', 'Flood of 500', 'Five hundred webhooks of all events, as fast as they go.'],
] as const;

const argyleActions = {
  upload: 'Upload a document',
  success: 'OCR succeeds',
  failure: 'OCR fails',
  authenticity: 'Authenticity is known',
  remove: 'Delete the document',
  'remove-account': 'Delete the account',
} as const;

/** Makes the buttons; gives what is to be done when the overview comes, and when it is known whether Argyle has the document. */
export function createActions(surroundings: Surroundings) {
  const events = byId('events');
  const select = byId<HTMLSelectElement>('trouble-event');
  byId('troubles').append(...troubles.map((trouble) => troubleItem(trouble, select, surroundings)));
  byId('argyle-actions').append(
    ...Object.entries(argyleActions).map(([action, label]) => argyleButton(action, label, surroundings)),
  );
  return {
    show: (overview: Overview): void => {
      byId('argyle').hidden = !overview.hasArgyle;
      if (events.hasChildNodes()) return;
      events.append(...overview.events.map((event) => eventButton(event, surroundings)));
      select.append(...overview.events.map(({ event }) => make('option', {}, event)));
    },
    allowArgyle: (isAtArgyle: boolean): void => {
      for (const button of byId('argyle-actions').querySelectorAll('button'))
        button.disabled = button.dataset['action'] !== 'upload' && !isAtArgyle;
    },
    /** Puts what is dead of an event back on its queue. */
    redrive: (event: string, label: string): Promise<void> =>
      act(label, surroundings, async () => {
        const { moved, left } = await order<{ moved: number; left: number }>('/console/redrive', { event });
        return `${moved} moved${left > 0 ? `, ${left} stayed: not understood` : ''}`;
      }),
  };
}

function eventButton({ event, meaning }: Overview['events'][number], surroundings: Surroundings): HTMLElement {
  const button = make('button', { type: 'button', title: meaning }, make('span', {}, ...eventName(event)));
  button.addEventListener('click', () =>
    act(event, surroundings, async () => {
      const upload = surroundings.chosenUpload() || crypto.randomUUID();
      const { code, status } = await order<{ code: number; status: string }>('/console/send', { event, upload });
      surroundings.choose(upload);
      return `${code} ${status}`;
    }),
  );
  return button;
}

function troubleItem(
  [kind, label, meaning]: (typeof troubles)[number],
  select: HTMLSelectElement,
  surroundings: Surroundings,
): HTMLElement {
  const button = make('button', { type: 'button', 'aria-describedby': `about-${kind}` }, label);
  button.addEventListener('click', () =>
    act(label, surroundings, async () => {
      const upload = surroundings.chosenUpload() || crypto.randomUUID();
      const { answers } = await order<ActionResult>('/console/trouble', { kind, event: select.value, upload });
      if (kind === 'duplicate' || kind === 'disorder') surroundings.choose(upload);
      return Object.entries(answers)
        .map(([answer, times]) => `${times} × ${answer}`)
        .join(', ');
    }),
  );
  return make('li', {}, button, make('span', { id: `about-${kind}`, class: 'muted' }, meaning));
}

function argyleButton(action: string, label: string, surroundings: Surroundings): HTMLElement {
  const button = make('button', { type: 'button', 'data-action': action }, label);
  button.addEventListener('click', () =>
    act(label, surroundings, async () => {
      const parameters = { action, upload: surroundings.chosenUpload() };
      const { userUpload } = await order<{ userUpload?: string }>('/console/argyle', parameters);
      if (action === 'upload' && userUpload) surroundings.choose(userUpload);
      return 'done';
    }),
  );
  return button;
}

// Says what is under way and what came of it.
async function act(what: string, { refresh }: Surroundings, doIt: () => Promise<string>): Promise<void> {
  const answer = byId('answer');
  say(answer, `${what}: under way …`);
  try {
    say(answer, `${what}: ${await doIt()}`);
  } catch (error) {
    say(answer, `${what}: ${(error as Error).message}`);
  }
  await refresh();
}
