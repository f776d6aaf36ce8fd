import { parseArgs } from 'node:util';

/**
 * Reads options of the form `--name NUMBER`. With `--help` it prints `usage` and exits; with an unknown option or a value
 * that is not a whole number above 0 it prints the reason and `usage`, and exits with 2.
 */
export function readOptions<Name extends string>(
  usage: string,
  defaults: Readonly<Record<Name, number>>,
): Readonly<Record<Name, number>> {
  try {
    const options = Object.keys(defaults).map((name) => [name, { type: 'string' }] as const);
    const { help, ...given } = parseArgs({
      options: { ...Object.fromEntries(options), help: { type: 'boolean' } },
    }).values;
    if (help) {
      console.log(usage);
      process.exit(0);
    }
    const numbers = Object.entries(given).map(([name, value]) => [name, Number(value)] as const);
    const wrong = numbers.find(([, value]) => !Number.isSafeInteger(value) || value < 1);
    if (wrong) throw new Error(`--${wrong[0]} must be a whole number above 0.`);
    return { ...defaults, ...Object.fromEntries(numbers) };
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    process.exit(2);
  }
}

/** Returns a seed for a run that does not repeat an earlier one. */
export function newSeed(): number {
  return 1 + Math.floor(Math.random() * 1e9);
}

/** Prints the errors, if any, and the verdict, and sets the exit code. */
export function printVerdict(errors: readonly string[], success: string): void {
  for (const error of errors) console.error(`  wrong: ${error}`);
  console.log(errors.length === 0 ? `ok: ${success}` : `FAILED: ${errors.length} errors`);
  process.exitCode = errors.length === 0 ? 0 : 1;
}
