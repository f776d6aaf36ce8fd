type Child = Node | string;
type Attributes = Readonly<Record<string, string>>;

/** The element of the page with this id. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (!element) throw new Error(`The page has no #${id}.`);
  return element as T;
}

/** A new element. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** A new element of a drawing. */
export function draw(tag: string, attributes: Readonly<Record<string, string | number>>): SVGElement {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  return element;
}

/** Sets a text if it is another one: what has not changed is not read out again, and keeps a selection. */
export function say(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** An event's name, which may be broken behind its first part. */
export function eventName(event: string): Child[] {
  const [first = '', ...rest] = event.split('.');
  if (rest.length === 0) return [first];
  return [make('span', { class: 'prefix' }, `${first}.`), make('wbr'), rest.join('.')];
}

/** An event's name without its first part, where all have the same. */
export function shortName(event: string): string {
  return event.split('.').slice(1).join('.') || event;
}

/** A number of things, `2 repeats`, or nothing if there are none. `what` is one of them. */
export function countOf(count: number, what: string): string {
  return count === 0 ? '' : `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`;
}

/** A time of day, UTC, with milliseconds. */
export function timeOf(iso: string): HTMLTimeElement {
  return make('time', { datetime: iso, title: iso }, iso.slice(11, 23));
}

/** A list of elements by key that follows a list of items. Elements stay what they are, so that one keeps the focus. */
export function keyedList<Item>(
  parent: HTMLElement,
  keyOf: (item: Item) => string,
  create: (item: Item) => HTMLElement,
  update: (element: HTMLElement, item: Item) => void,
) {
  let elements = new Map<string, HTMLElement>();
  return (items: readonly Item[]): void => {
    const focused = document.activeElement;
    const next = new Map(items.map((item) => [keyOf(item), elements.get(keyOf(item)) ?? create(item)]));
    for (const [key, element] of elements) if (!next.has(key)) element.remove();
    let before = parent.firstElementChild;
    for (const item of items) {
      const element = next.get(keyOf(item)) as HTMLElement;
      update(element, item);
      if (element === before) before = before.nextElementSibling;
      else parent.insertBefore(element, before);
    }
    elements = next;
    // An element that is put elsewhere loses it.
    if (focused instanceof HTMLElement && focused !== document.activeElement && focused.isConnected) focused.focus();
  };
}
