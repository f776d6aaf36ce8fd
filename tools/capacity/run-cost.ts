import { Command, InvalidArgumentError, Option } from 'commander';
import { statedCredentials, synthesize } from '../local/synthesize.ts';
import { readTemplate } from '../local/template.ts';
import { assume } from './assumptions.ts';
import { billAt } from './bill.ts';
import { billReport, limitsReport } from './report.ts';
import { readStackFacts } from './stack-facts.ts';

type Options = {
  readonly rate: number;
  readonly context: readonly string[];
  readonly assume: readonly string[];
  readonly limits?: true;
};

await new Command('npm run cost --')
  .description('Synthesizes the stack and prints what a month costs, line by line, with the sources of the prices.')
  .option('--rate <n>', 'webhooks per second, from 0.01 to 10000', readRate, 100)
  .option('-c, --context <key=value>', 'a setting, as for cdk; repeatable', collect, ['stage=production'])
  .option('--assume <name=value>', 'replaces an assumption; repeatable', collect, [])
  .addOption(new Option('--limits', 'prints the limits, an outage and bursts instead').conflicts('rate'))
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
  .action(print)
  .parseAsync()
  .catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  });

async function print({ rate, context, assume: replacements, limits }: Options): Promise<void> {
  const assumed = assume(replacements);
  const settings = Object.fromEntries(context.map((text) => text.split(/=(.*)/s)));
  // Production does not synthesize without them, but a bill helps to decide about them.
  const argyleCredentials = statedCredentials(settings.stage) ?? 'none';
  const assembly = await synthesize({ argyleCredentials, ...settings }, { validation: false });
  try {
    const facts = readStackFacts(readTemplate(assembly.directory));
    console.log(limits ? limitsReport(facts, assumed) : billReport(billAt(rate, facts, assumed)));
  } finally {
    await assembly.remove();
  }
}

function readRate(text: string): number {
  const rate = Number(text);
  if (rate >= 0.01 && rate <= 10_000) return rate;
  throw new InvalidArgumentError('Use a number from 0.01 to 10000.');
}

function collect(text: string, previous: readonly string[]): readonly string[] {
  if (/^[^=]+=/.test(text)) return [...previous, text];
  throw new InvalidArgumentError('Use NAME=VALUE.');
}
