import { createInterface } from 'node:readline/promises';
import { escapeControls } from '../terminal/escape-controls.ts';
import { createPrint, type Print, type Printable } from '../terminal/printer.ts';
import { UsageError } from './target.ts';

/** The streams of the process that runs a command. Commands write to them through a report only. */
export type Terminal = {
  /** Writes to standard output. */
  readonly write: (text: string) => void;
  /** Writes to standard error. */
  readonly writeError: (text: string) => void;
  /** Returns the answer to a question. Absent where no person can answer. */
  readonly ask?: (question: string) => Promise<string>;
};

/** How a command prints. Results go to standard output and remarks to standard error, so a pipe gets only the result. */
export type Report = {
  /** Prints the result: `data` as JSON with --json, otherwise `text`, or the lines of it. */
  readonly result: (data: object, text: string | readonly Printable[]) => void;
  /** Prints one line of a result that grows. */
  readonly line: (text: string) => void;
  readonly asJson: boolean;
  /** Prints information for people; nothing with --json. */
  readonly remark: (text: string) => void;
  /**
   * Prints what the command is about to do and asks whether to continue, unless `isSure`. Throws a UsageError where no
   * person can answer.
   */
  readonly confirm: (consequences: string, isSure: boolean | undefined) => Promise<boolean>;
};

export const processTerminal: Terminal = {
  write: (text) => process.stdout.write(text),
  writeError: (text) => process.stderr.write(text),
  ...(process.stdin.isTTY && { ask: askOnTerminal }),
};

/** Returns the functions that print to standard output and to standard error. */
export function printersOf({ write, writeError }: Terminal): { readonly print: Print; readonly printError: Print } {
  return { print: createPrint(write, process.stdout), printError: createPrint(writeError, process.stderr) };
}

/** Creates the report of one command. Its remarks and lines are one line each, even if they contain untrusted text. */
export function createReport(terminal: Terminal, asJson: boolean): Report {
  const { print, printError } = printersOf(terminal);
  const remark = (text: string) => printError(escapeControls(text), '\n');
  return {
    result: (data, text) => {
      if (asJson) return print(JSON.stringify(data, undefined, 2), '\n');
      for (const line of typeof text === 'string' ? [text] : text) print(line, '\n');
    },
    line: (text) => print(escapeControls(text), '\n'),
    asJson,
    remark: (text) => asJson || remark(text),
    confirm: async (consequences, isSure = false) => {
      remark(consequences);
      if (isSure) return true;
      if (!terminal.ask)
        throw new UsageError('This command needs a confirmation and cannot ask for it here: add --yes.');
      return /^y(es)?$/i.test((await terminal.ask('Continue? [y/N] ')).trim());
    },
  };
}

/** Formats rows as a table with aligned columns, numbers to the right. `columns`: the title of each key of the rows. */
export function tableOf(columns: Readonly<Record<string, string>>, rows: readonly object[]): string {
  const cellsOf = (row: object) => Object.keys(columns).map((key) => cellOf((row as Record<string, unknown>)[key]));
  const lines = [Object.values(columns), ...rows.map(cellsOf)];
  // Not Math.max(...lengths): a call with more than about 120,000 arguments overflows the stack.
  const widths = Object.keys(columns).map((_, index) =>
    lines.reduce((width, cells) => Math.max(width, String(cells[index]).length), 0),
  );
  const align = (cell: unknown, width = 0) =>
    typeof cell === 'number' ? String(cell).padStart(width) : String(cell).padEnd(width);
  return lines
    .map((cells) =>
      cells
        .map((cell, index) => align(cell, widths[index]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Colours text red on a terminal, unless NO_COLOR is set. */
export function alarming(text: string): Printable {
  return { text, style: 'red' };
}

/** Runs work with a signal that aborts when the user presses Ctrl-C. Before and after the work, Ctrl-C ends the process. */
export async function interruptible<Result>(work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const interrupted = new AbortController();
  const abort = () => interrupted.abort();
  process.once('SIGINT', abort);
  try {
    return await work(interrupted.signal);
  } finally {
    process.removeListener('SIGINT', abort);
  }
}

// Untrusted text must not add a row to a table.
function cellOf(value: unknown): string | number {
  return typeof value === 'number' ? value : escapeControls(String(value ?? '-'));
}

async function askOnTerminal(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await terminal.question(question);
  } finally {
    terminal.close();
  }
}
