#!/usr/bin/env node
import { Command, Option } from 'commander';
import type { EventType } from '../../functions/domain/events.ts';
import { uploadStatuses } from '../../functions/domain/upload-record.ts';
import { event, readCount, yes } from './arguments.ts';
import { addDeadCommands, addQuarantineCommands } from './message-commands.ts';
import { startReconciliation } from './reconcile.ts';
import { listRecords, showRecord } from './records.ts';
import { createReport, type Report } from './report.ts';
import { sendTestEvents } from './send.ts';
import { showStatus } from './status.ts';
import { tail } from './tail.ts';
import { findTarget, type Target, type TargetOptions, UsageError } from './target.ts';
import { rotate } from './webhook-secret.ts';

const program = new Command('uploads')
  .description('Looks at and mends a deployed receiver of Argyle upload webhooks, or the local pipeline.')
  .addOption(
    new Option('--stage <stage>', 'the stack of this stage').choices(['sandbox', 'production']).default('sandbox'),
  )
  .option('--profile <name>', "the AWS profile (default: AWS's own order)")
  .option('--region <name>', "the AWS region (default: AWS's own order)")
  .option('--local', 'the local pipeline (npm start) instead of AWS')
  .option('--port <port>', "the local pipeline's PORT", process.env.PORT || '8787')
  .option('--json', 'print the result as JSON')
  .addHelpText(
    'after',
    '\nExit codes: 0 all is well, 1 something is not (see each command), 2 wrong usage or no such stack.',
  )
  .showHelpAfterError('(uploads --help lists the commands)')
  .exitOverride();

program
  .command('status')
  .description('queues, ages, dead letters, last webhook, alarms; exit code 1 when a person is needed')
  .action(run(async (target, report) => !(await showStatus(target, report))));
program
  .command('get <upload>')
  .description('the record of one document, with its status; exit code 1 when there is none')
  .action((upload: string) => run((target, report) => showRecord(target, upload, report))());
program
  .command('list')
  .description("a user's or an account's documents")
  .addOption(new Option('--user <id>', 'whose').conflicts('account'))
  .option('--account <id>', 'whose')
  .addOption(new Option('--status <status>', 'only these').choices(uploadStatuses))
  .action(({ user, account, status }) =>
    run((target, report) => listRecords(target, user ? { user } : { account: account ?? '' }, status, report))(),
  );
program
  .command('send')
  .description('a signed test event to the stack itself; exit code 1 when it is not accepted')
  .argument(...event)
  .option('--count <n>', 'how many', readCount, 1)
  .option('--upload <id>', 'the document (default: a new one for each)')
  .action((name: EventType, options) => run((target, report) => sendTestEvents(target, name, options, report))());

addDeadCommands(program, run);
addQuarantineCommands(program, run);
program
  .command('tail')
  .description("the functions' log lines as they come, until Ctrl-C")
  .action(
    run((target) => {
      const interrupted = new AbortController();
      process.once('SIGINT', () => interrupted.abort());
      return tail(target, console.log, interrupted.signal);
    }),
  );
program
  .command('reconcile')
  .description("compare the records with Argyle's list now")
  .option('--confirm-removals <n>', 'let up to so many removals go that are held for a confirmation', readCount)
  .option(...yes)
  .action(({ confirmRemovals, yes: isSure = false }) =>
    run((target, report) => startReconciliation(target, { confirmRemovals, isSure }, report))(),
  );
program
  .command('rotate')
  .description('replace the webhook secret, here and at Argyle, without a gap; exit code 1 when it fails')
  .option('--revoke', 'drop the old secret at the end: it has leaked')
  .option(...yes)
  .action(({ revoke = false, yes: isSure = false }) =>
    run((target, report) => rotate(target, { isSure, revoke }, report))(),
  );

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}

// A command gives false when something is not well.
function run(command: (target: Target, report: Report) => Promise<unknown>): () => Promise<void> {
  return async () => {
    const options = program.opts<TargetOptions & { readonly json?: boolean }>();
    const isWell = await command(await findTarget(options), createReport(options.json ?? false));
    if (isWell === false) process.exitCode = 1;
  };
}

function exitCodeOf(error: unknown): number {
  const { code, exitCode, message } = error as Error & { readonly code?: string; readonly exitCode?: number };
  // Commander has printed its own, help and wrong arguments.
  if (code?.startsWith('commander.')) return exitCode === 0 ? 0 : 2;
  console.error(message);
  return error instanceof UsageError ? 2 : 1;
}
