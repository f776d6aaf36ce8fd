import { styleText } from 'node:util';

/** How a command tells its result: as JSON for programs, or as text for people. */
export type Report = {
  /** Prints the result: `data` with --json, else the text. */
  readonly result: (data: object, text: string) => void;
  /** Prints a remark for people; nothing with --json. */
  readonly remark: (text: string) => void;
};

/** Writes results to standard output and remarks to standard error, so that a pipe gets the result alone. */
export function createReport(asJson: boolean): Report {
  return {
    result: (data, text) => console.log(asJson ? JSON.stringify(data, undefined, 2) : text),
    remark: (text) => {
      if (!asJson) console.error(text);
    },
  };
}

/** Rows as a table with aligned columns; numbers to the right. The first row is the heading. */
export function tableOf(rows: readonly (readonly (string | number)[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => String(row[column] ?? '').length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => {
          const width = widths[column] ?? 0;
          return typeof cell === 'number' ? String(cell).padStart(width) : cell.padEnd(width);
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Text that stands out on a terminal; plain elsewhere and where NO_COLOR is set. */
export function alarming(text: string): string {
  return styleText('red', text, { stream: process.stdout });
}
