import { escapeControls } from '../../terminal/escape-controls.ts';

type Child = Node | string;
/** A boolean attribute is present when it is true. */
type Attributes = Readonly<Record<string, string | number | boolean>>;

/** Returns the element with this id. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (!element) throw new Error(`The page has no #${id}.`);
  return element as T;
}

/** Creates an element. Strings become text: nothing is interpreted as HTML, and control characters are escaped. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  return fill(document.createElement(tag), attributes, children);
}

/** Creates an SVG element. */
export function draw(tag: string, attributes: Attributes, ...children: readonly Child[]): SVGElement {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
}

/**
 * Makes the children of an element equal to new ones, and changes only what differs: focus, selections and clicks in progress
 * survive. Elements with a `data-key` correspond to those with the same key, all others to the next one with the same tag.
 */
export function patch(parent: Element, ...children: readonly Child[]): void {
  const focused = document.activeElement;
  for (const [index, child] of children.entries()) {
    const wanted = nodeOf(child);
    const place = parent.childNodes[index] ?? null;
    const current = [...parent.childNodes].slice(index).find((node) => corresponds(node, wanted));
    if (current !== place || !current) parent.insertBefore(current ?? wanted, place);
    if (current instanceof Element && wanted instanceof Element) patchElement(current, wanted);
    else if (current && current.nodeValue !== wanted.nodeValue) current.nodeValue = wanted.nodeValue;
  }
  while (parent.childNodes.length > children.length) parent.lastChild?.remove();
  // An element loses the focus when it moves.
  if (focused instanceof HTMLElement && focused !== document.activeElement && focused.isConnected) focused.focus();
}

/** A status with its color. */
export function statusBadge(status: string): HTMLElement {
  return make('span', { class: 'badge', 'data-status': status }, status);
}

/** A button that runs one of the actions in actions.ts. */
export function actionButton(action: string, value: string, attributes: Attributes, ...children: readonly Child[]) {
  return make('button', { type: 'button', 'data-action': action, 'data-value': value, ...attributes }, ...children);
}

/** An event's name, which may wrap after its first part. */
export function eventName(event: string): Child[] {
  const [first = '', ...rest] = event.split('.');
  if (rest.length === 0) return [first];
  return [make('span', { class: 'prefix' }, `${first}.`), make('wbr'), rest.join('.')];
}

/** An event's name without its first part, which all have in common. */
export function shortName(event: string): string {
  return event.split('.').slice(1).join('.') || event;
}

/** A count such as `2 repeats`, or an empty string for 0. `what` is the singular. */
export function countOf(count: number, what: string): string {
  return count === 0 ? '' : `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`;
}

/** A UTC time of day with milliseconds. */
export function timeOf(iso: string): HTMLTimeElement {
  return make('time', { datetime: iso, title: iso }, iso.slice(11, 23));
}

function fill<E extends Element>(element: E, attributes: Attributes, children: readonly Child[]): E {
  for (const [name, value] of Object.entries(attributes))
    if (value !== false) element.setAttribute(name, value === true ? '' : escapeControls(String(value)));
  element.append(...children.map(nodeOf));
  return element;
}

// Characters that change the direction of text would also change how the text around them is read.
function nodeOf(child: Child): Node {
  return typeof child === 'string' ? document.createTextNode(escapeControls(child)) : child;
}

function corresponds(node: Node, wanted: Node): boolean {
  const keyOf = (one: Node) => (one instanceof Element ? one.getAttribute('data-key') : null);
  return node.nodeName === wanted.nodeName && keyOf(node) === keyOf(wanted);
}

function patchElement(current: Element, wanted: Element): void {
  for (const { name } of [...current.attributes]) if (!wanted.hasAttribute(name)) current.removeAttribute(name);
  for (const { name, value } of wanted.attributes)
    if (current.getAttribute(name) !== value) current.setAttribute(name, value);
  patch(current, ...wanted.childNodes);
}
