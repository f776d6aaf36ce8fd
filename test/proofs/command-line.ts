import { Command, InvalidArgumentError, Option } from 'commander';

/**
 * Reads options of the form `--name NUMBER`. With `--help` it prints `usage` and exits; with an unknown option or a value
 * that is not a whole number above 0 it prints the reason and `usage`, and exits with 2.
 */
export function readOptions<Name extends string>(
  usage: string,
  defaults: Readonly<Record<Name, number>>,
): Readonly<Record<Name, number>> {
  const command = new Command()
    .configureHelp({ formatHelp: () => `${usage}\n` })
    .showHelpAfterError()
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));
  const options = (Object.keys(defaults) as Name[]).map((name) => {
    const option = new Option(`--${name} <n>`).default(defaults[name]).argParser(readCount);
    command.addOption(option);
    return [name, option.attributeName()] as const;
  });
  const values = command.parse().opts<Record<string, number>>();
  return Object.fromEntries(options.map(([name, key]) => [name, values[key]])) as Record<Name, number>;
}

/** Returns a random seed. */
export function newSeed(): number {
  return 1 + Math.floor(Math.random() * 1e9);
}

/** Prints the errors, if any, and the verdict, and sets the exit code. */
export function printVerdict(errors: readonly string[], success: string): void {
  for (const error of errors) console.error(`  wrong: ${error}`);
  console.log(errors.length === 0 ? `ok: ${success}` : `FAILED: ${errors.length} errors`);
  process.exitCode = errors.length === 0 ? 0 : 1;
}

function readCount(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('Use a whole number above 0.');
}
