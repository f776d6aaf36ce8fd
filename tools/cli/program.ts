import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { readId } from '../../functions/domain/envelope.ts';
import { eventTypes } from '../../functions/domain/events.ts';
import { uploadStatuses } from '../../functions/domain/upload-record.ts';
import { maxReading } from '../messages/dead-messages.ts';
import { escapeControls } from '../terminal/escape-controls.ts';
import { checkConsequences, checkReceiver } from './check.ts';
import { sendTestEvents } from './endpoint.ts';
import {
  type DiscardOptions,
  discard,
  discardableDead,
  discardableQuarantined,
  listQuarantine,
  type MoveOptions,
  move,
  showDead,
} from './messages.ts';
import { startReconciliation } from './reconcile.ts';
import { listRecords, showRecord } from './records.ts';
import { createReport, printersOf, type Report, type Terminal } from './report.ts';
import { restore } from './restore.ts';
import { resubscribe } from './resubscribe.ts';
import { type RotateOptions, rotate } from './rotate.ts';
import { listDead, showStatus } from './status.ts';
import { tail } from './tail.ts';
import { findTarget, type Target, type TargetOptions, UsageError } from './target.ts';

/** Turns a command into commander's action. The command returns false when the exit code must be 1. */
type Action<First> = <Given extends unknown[]>(
  command: (first: First, report: Report, ...given: Given) => Promise<unknown>,
) => (...given: Given) => Promise<void>;

const event = new Argument('<event>', 'the event type').choices(eventTypes);
const url = new Option('--url <url>', 'another receiver, whose signing secret is in WEBHOOK_SECRET').argParser(readUrl);
const most = new Option('--most <n>', 'the maximum number of messages to read').argParser(readMost).default(1_000);
const rate = new Option('--rate <n>', 'messages per second').argParser(readCount).default(50);
const dryRun = new Option('--dry-run', 'print what would happen, and change nothing');
const yes = new Option('--yes', 'do not ask for a confirmation');

/** Runs one command of the command line `npm run uploads` and returns its exit code. */
export async function runUploads(words: readonly string[], terminal: Terminal): Promise<number> {
  let succeeded = true;
  const program = createProgram(terminal);
  const run: Action<TargetOptions> =
    (command) =>
    async (...given) => {
      const options = program.opts<TargetOptions & { readonly json?: boolean }>();
      succeeded = (await command(options, createReport(terminal, options.json ?? false), ...given)) !== false;
    };
  const onTarget: Action<Target> = (command) =>
    run(async (options, report, ...given) => command(await findTarget(options), report, ...given));
  addRecordCommands(program, onTarget);
  addDeliveryCommands(program, run);
  addDeadCommands(program, onTarget);
  addQuarantineCommands(program, onTarget);
  addOtherCommands(program, onTarget);
  try {
    await program.parseAsync(words, { from: 'user' });
    return succeeded ? 0 : 1;
  } catch (error) {
    return exitCodeOf(error as Error, terminal);
  }
}

function createProgram(terminal: Terminal): Command {
  const { print, printError } = printersOf(terminal);
  return new Command('npm run uploads --')
    .description('Inspects and repairs a deployed receiver of Argyle upload webhooks, or the local pipeline.')
    .addOption(
      new Option('--stage <stage>', 'the stack of this stage').choices(['sandbox', 'production']).default('sandbox'),
    )
    .option('--profile <name>', "the AWS profile (default: the AWS SDK's default order)")
    .option('--region <name>', "the AWS region (default: the AWS SDK's default order)")
    .option('--local', 'the local pipeline (npm start) instead of AWS')
    .option('--port <port>', "the local pipeline's PORT", process.env.PORT || '8787')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
Exit codes: 0 success, 1 a problem (see each command), 2 wrong usage or no such stack.
To read the result in a program, run npm run --silent uploads -- COMMAND --json.`,
    )
    .showHelpAfterError('(npm run uploads -- --help lists the commands)')
    .configureOutput({ writeOut: print, writeErr: printError })
    .exitOverride();
}

function addRecordCommands(program: Command, onTarget: Action<Target>): void {
  program
    .command('status')
    .description('print queues, ages, dead letters, last webhook and alarms; exit code 1 when action is needed')
    .action(onTarget(showStatus));
  program
    .command('get')
    .description('print the record of one document with its status; exit code 1 when there is none')
    .argument('<upload>', "the document's id", readUploadId)
    .action(onTarget(showRecord));
  program
    .command('list')
    .description('list the documents of a user or an account')
    .addOption(new Option('--user <id>', 'the documents of this user').argParser(readUploadId).conflicts('account'))
    .option('--account <id>', 'the documents of this account', readUploadId)
    .addOption(new Option('--status <status>', 'only documents with this status').choices(uploadStatuses))
    .action(onTarget(listRecords));
}

function addDeliveryCommands(program: Command, run: Action<TargetOptions>): void {
  program
    .command('send')
    .description('send signed test events; exit code 1 when one is not accepted')
    .addArgument(event)
    .option('--count <n>', 'the number of events', readCount, 1)
    .option('--upload <id>', 'the document (default: a new one for each event)', readUploadId)
    .addOption(url)
    .action(run(sendTestEvents));
  program
    .command('check')
    .description('check that the receiver behaves as it must, one line per check; exit code 1 when a check fails')
    .addOption(url)
    .option('--table <name>', 'with --url: the UploadTableName of its stack, to check the records too')
    .addOption(yes)
    .addHelpText('after', `\n${checkConsequences}\nExit code 2: the check could not run.`)
    .action(run(checkReceiver));
}

function addDeadCommands(program: Command, onTarget: Action<Target>): void {
  const dead = program
    .command('dead')
    .description('inspect and delete dead letters: messages that a worker could not apply');
  dead
    .command('list')
    .description('print the number of dead letters of each event; exit code 1 when there are any')
    .action(onTarget(listDead));
  dead
    .command('show')
    .description('print the reasons for dead letters, their counts and the ids')
    .addArgument(event)
    .addOption(most)
    .option('--bodies', 'print the bodies too')
    .action(onTarget(showDead));
  dead
    .command('discard')
    .description('delete the dead letters of one reason, except those that a retry may apply')
    .addArgument(event)
    .addArgument(new Argument('<reason>', 'as `dead show` prints it').choices(discardableDead))
    .addOption(most)
    .addOption(yes)
    .action(onTarget(discard));
  program
    .command('redrive')
    .description('move dead letters back to their queue; can be interrupted at any time')
    .addArgument(event)
    .addOption(dryRun)
    .addOption(rate)
    .addOption(yes)
    .action(onTarget(move));
}

function addQuarantineCommands(program: Command, onTarget: Action<Target>): void {
  const quarantine = program
    .command('quarantine')
    .description('inspect, release and delete signed messages that ingest could not process');
  quarantine
    .command('list')
    .description('print reasons, events and counts; exit code 1 when there are any')
    .addOption(most)
    .action(onTarget(listQuarantine));
  quarantine
    .command('release')
    .description(
      'move the messages that this release can process to the queue of their event; can be interrupted at any time',
    )
    .addOption(dryRun)
    .addOption(rate)
    .addOption(yes)
    .action(onTarget((target, report, options: MoveOptions) => move(target, report, undefined, options)));
  quarantine
    .command('discard')
    .description('delete the messages of one reason, except those that this release can process')
    .addArgument(new Argument('<reason>', 'as `quarantine list` prints it').choices(discardableQuarantined))
    .addOption(most)
    .addOption(yes)
    .action(
      onTarget((target, report, ...given: [string, DiscardOptions]) => discard(target, report, undefined, ...given)),
    );
}

function addOtherCommands(program: Command, onTarget: Action<Target>): void {
  program
    .command('tail')
    .description("print the functions' log lines as they arrive, until Ctrl-C")
    .action(onTarget(tail));
  program
    .command('reconcile')
    .description(
      "compare the records with Argyle's list; exit code 1 when it fails, or another one keeps it from confirming",
    )
    .option('--confirm-removals <n>', 'apply up to this many removals that are held for a confirmation', readCount)
    .addOption(yes)
    .action(onTarget(startReconciliation));
  program
    .command('restore')
    .description("undo a reconciliation's removals; without a run, list the runs whose removals can be undone")
    .argument('[run]', 'the id of the run, as `restore` lists it')
    .addOption(dryRun)
    .addOption(yes)
    .action(onTarget(restore));
  program
    .command('rotate')
    .description('replace the webhook secret, here and at Argyle, without a gap; exit code 1 when it fails')
    .option('--revoke', 'remove the old secret at the end, because it has leaked')
    .addOption(yes)
    .action(onTarget((target, report, options: RotateOptions) => rotate(target, report, options)));
  program
    .command('resubscribe')
    .description("re-create the stack's subscription at Argyle after it was lost; exit code 1 when it fails")
    .addOption(yes)
    .action(onTarget(resubscribe));
}

function readUploadId(text: string): string {
  const id = readId(text);
  if (id) return id;
  throw new InvalidArgumentError('Use 8-4-4-4-12 hex digits.');
}

function readCount(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Use a whole number above 0.');
}

function readMost(text: string): number {
  const count = readCount(text);
  if (count <= maxReading) return count;
  throw new InvalidArgumentError(`Use at most ${maxReading}: SQS does not let more messages be read at once.`);
}

function readUrl(text: string): URL {
  if (/^https?:\/\//.test(text) && URL.canParse(text)) return new URL(text);
  throw new InvalidArgumentError('Use an http or https URL.');
}

function exitCodeOf(error: Error, terminal: Terminal): number {
  // Commander has already printed its message; its error for --help has the exit code 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  printersOf(terminal).printError(escapeControls(error.message), '\n');
  return error instanceof UsageError ? 2 : 1;
}
