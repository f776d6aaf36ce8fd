/**
 * Escapes control and formatting characters as JSON does, line breaks included, so that neither a terminal nor a page
 * interprets them: C0, DEL, C1, and the characters that change the direction of text. JSON text keeps its meaning.
 */
export function escapeControls(text: string): string {
  const escapeUnit = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => character.split('').map(escapeUnit).join(''));
}

/** Escapes a line of a function's log. Tabs, which Lambda's own lines contain, become blanks. */
export function escapeLogLine(line: string): string {
  return escapeControls(line.replaceAll('\t', '  '));
}
