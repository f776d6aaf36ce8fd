/** Formats a Markdown table, padded so that it can also be read in a terminal. Columns of numbers are right-aligned. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const escaped = [header, ...rows].map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const columns = header.map((_, column) => {
    const [title = '', ...cells] = escaped.map((row) => row[column] ?? '');
    const isNumeric = cells.every((cell) => /^[+-]?[\d,.]*$/.test(cell));
    return { isNumeric, width: Math.max(3, title.length, ...cells.map((cell) => cell.length)) };
  });
  const rule = columns.map(({ isNumeric, width }) => (isNumeric ? ':' : '-').padStart(width, '-'));
  const padded = escaped.map((row) =>
    columns.map(({ isNumeric, width }, column) => row[column]?.[isNumeric ? 'padStart' : 'padEnd'](width) ?? ''),
  );
  return [padded[0] ?? [], rule, ...padded.slice(1)].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
