import { runInNewContext } from 'node:vm';

/** A log line, parsed as Logs Insights does. */
export type LogLine = Readonly<Record<string, unknown>>;

/** The lines that match all filters of a query. Supports the filter forms of the stack's own queries. */
export function linesThatPass(query: string, lines: readonly LogLine[]): readonly LogLine[] {
  const filters = query.split('\n| ').filter((command) => command.startsWith('filter '));
  return lines.filter((line) => filters.every((filter) => passes(filter.slice('filter '.length), line)));
}

/** The fields of log lines that a query uses, without Insights' own fields (`@…`) and the query's aliases. */
export function fieldsOf(query: string): readonly string[] {
  const text = query.replaceAll(/"[^"]*"|\/[^/]*\//g, ' ');
  const aliases = [...text.matchAll(/ as (\w+)/g)].map(([, alias]) => alias);
  const names = [...text.matchAll(/@?[a-zA-Z][\w.]*/g)].map(([name]) => name);
  return names.filter((name) => !name.startsWith('@') && !words.has(name) && !aliases.includes(name));
}

/** The value of a field. `a.b` is b within a. */
export function valueOfField(line: LogLine, field: string): unknown {
  return field.split('.').reduce<unknown>((value, name) => Object(value)[name], line);
}

const words = new Set('fields filter sort stats limit asc desc by as and or like ispresent count min max'.split(' '));

function passes(filter: string, line: LogLine): boolean {
  const expression = filter
    .replaceAll(/([\w.]+) like ("[^"]*"|\/[^/]+\/)/g, 'like("$1", $2)')
    .replaceAll(/([\w.]+) = ("[^"]*")/g, 'is("$1", $2)')
    .replaceAll(/ispresent\(([\w.]+)\)/g, 'has("$1")')
    .replaceAll(' and ', ' && ')
    .replaceAll(' or ', ' || ');
  const text = (field: string) => String(valueOfField(line, field) ?? '');
  return runInNewContext(expression, {
    is: (field: string, value: string) => text(field) === value,
    has: (field: string) => valueOfField(line, field) !== undefined,
    like: (field: string, part: string | RegExp) =>
      typeof part === 'string' ? text(field).includes(part) : part.test(text(field)),
  });
}
