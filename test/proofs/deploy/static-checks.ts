import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { readTemplate } from '../../../tools/local/template.ts';

/** What a tool says against a resource of a template. */
export type Finding = {
  readonly tool: 'cfn-lint' | 'checkov';
  readonly rule: string;
  /** The logical id, or another place in the template. */
  readonly resource: string;
  readonly template: string;
  readonly message: string;
};

/** Why a rule's findings about some resources are right to stay. */
export type Reason = {
  readonly tool: Finding['tool'];
  readonly rule: string;
  /** A regular expression that the whole logical id has to match. */
  readonly resources: string;
  readonly reason: string;
};

/** Gives one line for each finding without a reason, and for each reason that is of no use any more. */
export function unexplained(findings: readonly Finding[], reasons: readonly Reason[]): readonly string[] {
  const explains = (reason: Reason, finding: Finding) =>
    reason.tool === finding.tool &&
    reason.rule === finding.rule &&
    new RegExp(`^(?:${reason.resources})$`).test(finding.resource);
  return [
    ...findings
      .filter((finding) => !reasons.some((reason) => explains(reason, finding)))
      .map(({ tool, rule, resource, template, message }) => `${tool} ${rule} ${resource} of ${template}: ${message}`),
    ...reasons
      .filter((reason) => !findings.some((finding) => explains(reason, finding)))
      .map(({ tool, rule, resources }) => `There is no finding ${tool} ${rule} ${resources}: take its reason out.`),
    ...reasons
      .filter(({ reason }) => reason.trim() === '')
      .map(({ tool, rule }) => `The reason of ${tool} ${rule} is empty.`),
  ];
}

/** The reasons that are written beside this file. */
export function readReasons(): readonly Reason[] {
  return JSON.parse(readFileSync(new URL('./static-check-reasons.json', import.meta.url), 'utf8')) as Reason[];
}

/** Everything that cfn-lint has to say, down to its informational rules. */
export async function lintWithCfnLint(python: string, assemblies: readonly string[]): Promise<readonly Finding[]> {
  const said = await runTool(python, [
    ...[
      '-c',
      'from cfnlint import runner; runner.main()',
      '--include-checks',
      'I',
      '--format',
      'json',
      '--non-zero-exit-code',
      'none',
      '--',
    ],
    ...assemblies.map(templateFile),
  ]);
  const matches = JSON.parse(said) as {
    readonly Filename: string;
    readonly Rule: { readonly Id: string };
    readonly Message: string;
    readonly Location: { readonly Path: readonly (string | number)[] };
  }[];
  return matches.map(({ Filename, Rule, Message, Location: { Path } }) => ({
    tool: 'cfn-lint',
    rule: Rule.Id,
    resource: Path[0] === 'Resources' ? String(Path[1]) : Path.join('.'),
    template: Filename.split('/').at(-1) ?? '',
    message: Message,
  }));
}

/** Everything that checkov has to say; throws when it did not look at every resource. */
export async function lintWithCheckov(python: string, assemblies: readonly string[]): Promise<readonly Finding[]> {
  const said = await runTool(python, [
    ...['-m', 'checkov.main', '--framework', 'cloudformation', '--output', 'json', '--compact', '--quiet'],
    ...['--skip-download', '--soft-fail', '--file', ...assemblies.map(templateFile)],
  ]);
  const { summary, results } = JSON.parse(said) as {
    readonly summary: { readonly resource_count: number; readonly parsing_errors: number };
    readonly results: { readonly failed_checks: readonly Record<string, string>[] };
  };
  const resources = assemblies.reduce((sum, assembly) => sum + readTemplate(assembly).resources.length, 0);
  if (summary.parsing_errors > 0 || summary.resource_count !== resources)
    throw new Error(`checkov looked at ${summary.resource_count} of ${resources} resources.`);
  return results.failed_checks.map(({ check_id = '', check_name = '', resource = '', file_path = '' }) => ({
    tool: 'checkov',
    rule: check_id,
    resource: resource.split('.').at(-1) ?? '',
    template: file_path.split('/').at(-1) ?? '',
    message: check_name,
  }));
}

function templateFile(assembly: string): string {
  return resolve(join(assembly, `${readTemplate(assembly).stackName}.template.json`));
}

async function runTool(python: string, command: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(python, command, { maxBuffer: 64 * 1_048_576 });
  return stdout;
}
