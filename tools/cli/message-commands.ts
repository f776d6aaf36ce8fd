import { Argument, type Command } from 'commander';
import type { EventType } from '../../functions/domain/events.ts';
import { dryRun, event, moveOptions, rate, readCount, yes } from './arguments.ts';
import { listDead, showDead } from './dead.ts';
import { deadReasons, discardDead, discardQuarantine, quarantineReasons } from './discard.ts';
import { listQuarantine, redrive, releaseQuarantine } from './moves.ts';
import type { Report } from './report.ts';
import type { Target } from './target.ts';

/** Makes the action of a command of one that is told the stack; false means that something is not well. */
export type Run = (command: (target: Target, report: Report) => Promise<unknown>) => () => Promise<void>;

const most = ['--most <n>', 'look at so many', readCount, 1_000] as const;

/** Adds the commands about dead letters. */
export function addDeadCommands(program: Command, run: Run): void {
  const dead = program.command('dead').description('dead letters: messages that a worker gave up');
  dead
    .command('list')
    .description('how many each event has; exit code 1 when there are any')
    .action(run(async (target, report) => !(await listDead(target, report))));
  dead
    .command('show')
    .description('why they are there, by count, and their ids')
    .argument(...event)
    .option(...most)
    .option('--bodies', 'show the bodies too')
    .action((name: EventType, { most, bodies = false }) =>
      run((target, report) => showDead(target, name, { most, withBodies: bodies }, report))(),
    );
  dead
    .command('discard')
    .description('delete those of one reason; what failed 16 times stays')
    .argument(...event)
    .addArgument(new Argument('<reason>', 'as `dead show` says').choices(deadReasons))
    .option(...most)
    .option(...yes)
    .action((name: EventType, reason: (typeof deadReasons)[number], { most, yes: isSure = false }) =>
      run((target, report) => discardDead(target, { event: name, reason }, { most, isSure }, report))(),
    );
  program
    .command('redrive')
    .description('put dead letters back on their queue; safe to interrupt')
    .argument(...event)
    .option(...dryRun)
    .option(...rate)
    .option(...yes)
    .action((name: EventType, options) =>
      run((target, report) => redrive(target, name, moveOptions(options), report))(),
    );
}

/** Adds the commands about what was not understood. */
export function addQuarantineCommands(program: Command, run: Run): void {
  const quarantine = program.command('quarantine').description('what was signed but not understood');
  quarantine
    .command('list')
    .description('what is there and why, by count; exit code 1 when there is anything')
    .option(...most)
    .action(({ most }) => run(async (target, report) => !(await listQuarantine(target, most, report)))());
  quarantine
    .command('release')
    .description('put what is understood by now on the queue of its event; safe to interrupt')
    .option(...dryRun)
    .option(...rate)
    .option(...yes)
    .action((options) => run((target, report) => releaseQuarantine(target, moveOptions(options), report))());
  quarantine
    .command('discard')
    .description('delete what is there for one reason; what is understood by now stays')
    .addArgument(new Argument('<reason>', 'as `quarantine list` says').choices(quarantineReasons))
    .option(...most)
    .option(...yes)
    .action((reason: (typeof quarantineReasons)[number], { most, yes: isSure = false }) =>
      run((target, report) => discardQuarantine(target, reason, { most, isSure }, report))(),
    );
}
