import { parseArgs } from 'node:util';
import { synthesize } from '../local/synthesize.ts';
import { readTemplate } from '../local/template.ts';
import { alternativesTo, whatIfs } from './alternatives.ts';
import { assume } from './assumptions.ts';
import { type Cost, costAt } from './cost.ts';
import { perMillion, total } from './cost-line.ts';
import { costReport } from './cost-report.ts';
import { measure } from './measure.ts';
import { readStackFacts } from './stack-facts.ts';
import { storageOf } from './storage.ts';

const usage = `usage: npm run cost -- [--rate N] [--stage S] [--context KEY=VALUE]… [--assume NAME=VALUE]… [--json]

Synthesizes the stack, runs its functions here to see what they print, and says what a month costs at N webhooks a second
(0.01 to 10000, by default 100), line by line, beside its floor and alternatives. --stage is production or sandbox; --context is
what cdk takes, as argyleCredentials=argyle/api-key. --assume replaces what no template says; the report lists it.`;

try {
  await run();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 2;
}

async function run(): Promise<void> {
  const { rate, context, assumed, json } = readOptions();
  const assembly = await synthesize(context);
  try {
    const measured = await measure(assembly.directory);
    const cost = costAt(rate, readStackFacts(readTemplate(assembly.directory)), measured, assumed);
    process.stdout.write(json ? `${JSON.stringify(asJson(cost), null, 2)}\n` : costReport(cost));
  } finally {
    await assembly.remove();
  }
}

function asJson(cost: Cost): object {
  const { lines, goals, load, measured, assumed } = cost;
  const rate = load.webhooksPerSecond;
  const priced = lines.map((line) => ({ ...line, dollarsPerMillion: perMillion(line.dollars, rate) }));
  const sum = total(lines);
  return {
    ...{ load, measured, assumed, lines: priced, goals },
    ...{ dollarsPerMonth: sum, dollarsPerMillion: perMillion(sum, rate) },
    ...{ whatIfs: whatIfs(cost), alternatives: alternativesTo(cost), storage: storageOf(cost) },
  };
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      rate: { type: 'string', default: '100' },
      stage: { type: 'string', default: 'production' },
      context: { type: 'string', multiple: true, default: [] },
      assume: { type: 'string', multiple: true, default: [] },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    process.exit(0);
  }
  const rate = Number(values.rate);
  if (!(rate >= 0.01 && rate <= 10_000))
    throw new Error(`--rate ${values.rate} is not allowed: use webhooks a second from 0.01 to 10000.`);
  const context = values.context.map((text): [string, string] => {
    const [key = '', ...value] = text.split('=');
    if (value.length === 0) throw new Error(`--context ${text} is not allowed: use KEY=VALUE.`);
    return [key, value.join('=')];
  });
  return {
    rate,
    context: { stage: values.stage, ...Object.fromEntries(context) },
    assumed: assume(values.assume),
    json: values.json,
  };
}
