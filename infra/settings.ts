import type { Node } from 'constructs';

/** A setting as it was found: the name to show in messages, and its value. @default undefined when it is not set */
export type Setting = { readonly name: string; readonly value: unknown };

/** Thrown for a context value that is not allowed. Its message is a complete sentence for the user. */
export class ConfigError extends Error {}

/**
 * Creates the reader of a stage's settings. A value of `-c key=value` overrides the value that `stages.<stage>` of cdk.json
 * states. Throws a ConfigError for a stage or a key that does not exist.
 * @param stages all stages
 * @param keys all settings that a stage may state
 */
export function createReadSetting<Stage extends string, Key extends string>(
  node: Node,
  stage: Stage,
  stages: readonly Stage[],
  keys: readonly Key[],
): (key: Key) => Setting {
  const stated = readStages(node.tryGetContext('stages'), stages, keys)[stage] ?? {};
  return (key) => {
    // A value directly in the context of cdk.json has the same effect: the CDK does not distinguish it from -c.
    const override: unknown = node.tryGetContext(key);
    if (override !== undefined) return { name: key, value: override };
    return { name: `stages.${stage}.${key}`, value: stated[key] };
  };
}

/** Returns the text, or undefined when the setting is not set. */
export function readText({ name, value }: Setting, pattern: RegExp, allowed: string): string | undefined {
  if (value === undefined || (typeof value === 'string' && pattern.test(value))) return value;
  throw configError({ name, value }, allowed);
}

export function readChoice<Choice extends string>(
  { name, value }: Setting,
  choices: readonly Choice[],
): Choice | undefined {
  const choice = choices.find((candidate) => candidate === value);
  if (value === undefined || choice) return choice;
  throw configError({ name, value }, choices.map((candidate) => `'${candidate}'`).join(' or '));
}

// On the command line every value is a string.
export function readBoolean({ name, value }: Setting): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value;
  if (value === 'true' || value === 'false') return value === 'true';
  throw configError({ name, value }, 'true or false');
}

/** The limits of a number, both included. */
export type Limits = { readonly min: number; readonly max: number; readonly unit: string };

export function readWholeNumber({ name, value }: Setting, { min, max, unit }: Limits): number | undefined {
  if (value === undefined) return undefined;
  const isNumeric = typeof value === 'number' || (typeof value === 'string' && /^\d+$/.test(value));
  const number = isNumeric ? Number(value) : Number.NaN;
  if (Number.isInteger(number) && number >= min && number <= max) return number;
  throw configError({ name, value }, `a whole number of ${unit} from ${min} to ${max}`);
}

/** Returns the error for a value that is not allowed. `allowed` completes the sentence "use …". */
export function configError({ name, value }: Setting, allowed: string): ConfigError {
  return new ConfigError(`The context value ${name}=${JSON.stringify(value)} is not allowed: use ${allowed}.`);
}

type Settings = Readonly<Record<string, unknown>>;

function readStages(
  context: unknown = {},
  stages: readonly string[],
  keys: readonly string[],
): Readonly<Record<string, Settings>> {
  const allStages = readObject('stages', typeof context === 'string' ? parse(context) : context);
  const names = stages.map((stage) => `stages.${stage}`).join(' or ');
  const read = Object.entries(allStages).map(([stage, value]): [string, Settings] => {
    const name = `stages.${stage}`;
    if (!stages.includes(stage)) throw configError({ name, value }, names);
    return [stage, readKnown(name, value, keys)];
  });
  return Object.fromEntries(read);
}

// An unknown key is probably misspelled, and the setting that it should change would keep its default.
function readKnown(name: string, value: unknown, keys: readonly string[]): Settings {
  const settings = readObject(name, value);
  const unknown = Object.keys(settings).find((key) => !keys.includes(key));
  if (unknown === undefined) return settings;
  throw configError({ name: `${name}.${unknown}`, value: settings[unknown] }, `one of ${keys.join(', ')}`);
}

function readObject(name: string, value: unknown): Settings {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Settings;
  throw configError({ name, value }, 'a JSON object');
}

// The value of `-c stages={}` is text. Any other text is returned as it is.
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
