import type { Node } from 'constructs';

/** A context value that is not allowed; its text is all that the user needs to see. */
export class ConfigError extends Error {}

/** The text itself, if it has the form; throws a refusal otherwise. `allowed` ends the sentence. */
export function readText(key: string, value: unknown, form: RegExp, allowed: string): string {
  if (typeof value === 'string' && form.test(value)) return value;
  throw refusal(key, value, allowed);
}

/** One of the choices; throws a refusal that names them all otherwise. */
export function readChoice<Choice extends string>(key: string, value: unknown, choices: readonly Choice[]): Choice {
  const choice = choices.find((name) => name === value);
  if (!choice) throw refusal(key, value, choices.map((name) => `'${name}'`).join(' or '));
  return choice;
}

/** Whether something is on; on the command line that is text. Throws a refusal. */
export function readSwitch(key: string, value: unknown): boolean {
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  throw refusal(key, value, 'true or false');
}

/** A number of the context, or `usual` without one; on the command line numbers are text. Throws a refusal. */
export function readWholeNumber(
  node: Node,
  key: string,
  usual: number,
  { shortest, longest, unit }: { readonly shortest: number; readonly longest: number; readonly unit: string },
): number {
  const value: unknown = node.tryGetContext(key) ?? usual;
  const isNumeric = typeof value === 'number' || (typeof value === 'string' && /^\d+$/.test(value));
  const number = isNumeric ? Number(value) : Number.NaN;
  if (Number.isInteger(number) && number >= shortest && number <= longest) return number;
  throw refusal(key, value, `a whole number of ${unit} from ${shortest} to ${longest}`);
}

/** The error that names the key, the value and what is allowed. */
export function refusal(key: string, value: unknown, allowed: string): ConfigError {
  return new ConfigError(`The context value ${key}=${JSON.stringify(value)} is not allowed: use ${allowed}.`);
}
