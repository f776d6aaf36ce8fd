import { styleText } from 'node:util';
import { escapeControls } from './escape-controls.ts';

/** Text, or text with a style, which terminals show unless NO_COLOR is set. */
export type Printable = string | { readonly text: string; readonly style: 'red' | 'dim' };

/** Prints its arguments one after the other. */
export type Print = (...parts: readonly Printable[]) => void;

/**
 * Creates the only way in which the command line and `npm start` write to a terminal. It escapes what a terminal would
 * interpret, except line breaks, which separate lines of the same text. Escape untrusted text within a line with
 * `escapeControls`, so that it cannot add a line.
 * @param stream decides about styles: they need a terminal
 */
export function createPrint(write: (text: string) => unknown, stream: NodeJS.WritableStream): Print {
  return (...parts) => {
    write(parts.map((part) => render(part, stream)).join(''));
  };
}

function render(part: Printable, stream: NodeJS.WritableStream): string {
  if (typeof part === 'string') return part.split('\n').map(escapeControls).join('\n');
  return styleText(part.style, render(part.text, stream), { stream });
}
