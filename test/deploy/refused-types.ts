import type { Patch } from './patched-assembly.ts';

/**
 * Resource types with which MiniStack refuses a template ("Unrecognized resource types"), seen with MiniStack 1.5.33 on
 * 2026-11-24. They are left out of what is deployed to it. The run fails once it knows one of them.
 */
export const refusedTypes: readonly string[] = ['AWS::Logs::QueryDefinition'];

/** Leaves out what MiniStack refuses. */
export const withoutRefusedTypes: Patch = (template) => ({
  ...template,
  Resources: Object.fromEntries(
    Object.entries(template.Resources).filter(([, { Type }]) => !refusedTypes.includes(Type)),
  ),
});

/** The types that a refused deployment names. */
export function typesRefusedBy(error: unknown): readonly string[] {
  const [, types = ''] = /Unrecognized resource types: \[([^\]]*)\]/.exec(String((error as Error).message)) ?? [];
  return types
    .split(',')
    .map((type) => type.trim())
    .filter((type) => type !== '')
    .sort();
}
