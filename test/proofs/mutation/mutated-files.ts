import { readdirSync } from 'node:fs';

// The rest of the command line reads and prints; these commands move and delete messages.
const movesMessages = /^tools\/(messages\/[\w-]+-messages|cli\/messages)\.ts$/;
// Names, without a rule.
const isExcluded = (file: string) => file.endsWith('/metric-names.ts');

/**
 * Returns the files to mutate: all of `functions/`, and the command line's moves of messages. `parts` are files or folders that
 * limit the result; a part without a file to mutate is an error. Paths are relative to the repository, the current folder.
 */
export function mutatedFiles(parts: readonly string[] = []): readonly string[] {
  const files = ['functions', 'tools'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => `${folder}/${file}`),
  );
  const mutated = files
    .filter((file) => (file.startsWith('functions/') ? file.endsWith('.ts') : movesMessages.test(file)))
    .filter((file) => !isExcluded(file))
    .sort();
  const isIn = (part: string) => (file: string) => file === part || file.startsWith(`${part.replace(/\/$/, '')}/`);
  for (const part of parts)
    if (!mutated.some(isIn(part))) throw new Error(`The mutation proof changes no file in ${JSON.stringify(part)}.`);
  return parts.length === 0 ? mutated : mutated.filter((file) => parts.some((part) => isIn(part)(file)));
}

/**
 * Returns patterns of the tests that have to notice the mutants of these files: those of the file's own folder, and all tests of
 * functions for rules and clients that several functions share. A mutant of a constant runs all of them.
 */
export function testsOf(files: readonly string[]): readonly string[] {
  const patternOf = (file: string) => {
    if (file.startsWith('tools/')) return 'test/tools/{messages,cli}/*.test.ts';
    const [, folder = ''] = file.split('/');
    return `test/functions/${['domain', 'aws', 'argyle'].includes(folder) ? '**' : `${folder}/**`}/*.test.ts`;
  };
  return [...new Set(files.map(patternOf)), 'test/{catalogue,handlers}.test.ts'];
}
