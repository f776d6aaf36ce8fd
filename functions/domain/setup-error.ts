/** Something that only a person can put right. The text says what, names no value, and may be shown to whoever deploys. */
export function setupError(text: string): Error {
  return Object.assign(new Error(text), { name: 'SetupError' });
}

/** Whether an error is one of these. */
export function isSetupError(error: unknown): error is Error {
  return error instanceof Error && error.name === 'SetupError';
}
