/** What a function is for: each is measured against the empty function with events of its kind. */
export type Role = 'ingest' | 'worker';

/** A function as it would be deployed: a folder with `index.js`, which exports `handler`. */
export type Variant = {
  readonly name: string;
  readonly role: Role;
  readonly folder: string;
  /** Beside the variables that all get. */
  readonly environment: Readonly<Record<string, string>>;
  /** Whether it serves on after its first call, until V8 has compiled what is used often. */
  readonly servesOn: boolean;
};

/** The names that goals and reports pick out. */
export const names = {
  empty: 'empty function',
  deployed: 'as deployed',
  connected: 'as deployed, with credentials for Argyle',
  defaults: "the same code, NodejsFunction's defaults",
  bestPractice: 'usual best practice',
  floor: 'floor: signed by hand, no SDK',
} as const;
