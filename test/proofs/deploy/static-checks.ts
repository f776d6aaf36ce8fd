import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { readTemplate } from '../../../tools/local/template.ts';

/** A finding of a linter about a resource of a template. */
export type Finding = {
  readonly tool: 'cfn-lint' | 'checkov';
  readonly rule: string;
  /** The logical id, or another place in the template. */
  readonly resource: string;
  readonly template: string;
  readonly message: string;
};

/** Why the findings of a rule about some resources are acceptable. */
export type Reason = {
  readonly tool: Finding['tool'];
  readonly rule: string;
  /** A regular expression that matches the whole logical id. */
  readonly resources: string;
  readonly reason: string;
};

type Match = {
  readonly Filename: string;
  readonly Rule: { readonly Id: string };
  readonly Message: string;
  readonly Location: { readonly Path: readonly (string | number)[] };
};

/** Returns one line for each finding without a reason, and for each reason that is empty or has no finding. */
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
      .map(({ tool, rule, resources }) => `There is no finding ${tool} ${rule} ${resources}: remove its reason.`),
    ...reasons
      .filter(({ reason }) => reason.trim() === '')
      .map(({ tool, rule }) => `The reason of ${tool} ${rule} is empty.`),
  ];
}

/** Reads static-check-reasons.json. */
export function readReasons(): readonly Reason[] {
  return JSON.parse(readFileSync(new URL('./static-check-reasons.json', import.meta.url), 'utf8')) as Reason[];
}

/** Returns all findings of cfn-lint, including its informational rules. */
export async function lintWithCfnLint(python: string, assemblies: readonly string[]): Promise<readonly Finding[]> {
  const options = ['--include-checks', 'I', '--format', 'json', '--non-zero-exit-code', 'none'];
  const command = [
    '-c',
    'from cfnlint import runner; runner.main()',
    ...options,
    '--',
    ...assemblies.map(templateFile),
  ];
  const matches = (await runLinter(python, command)) as readonly Match[];
  return matches.map(({ Filename, Rule, Message, Location: { Path } }) => ({
    tool: 'cfn-lint',
    rule: Rule.Id,
    resource: Path[0] === 'Resources' ? String(Path[1]) : Path.join('.'),
    template: lastPart(Filename, '/'),
    message: Message,
  }));
}

/** Returns all findings of checkov. Throws when it did not check every resource. */
export async function lintWithCheckov(python: string, assemblies: readonly string[]): Promise<readonly Finding[]> {
  const options = ['--framework', 'cloudformation', '--output', 'json', '--compact', '--quiet', '--skip-download'];
  const command = ['-m', 'checkov.main', ...options, '--soft-fail', '--file', ...assemblies.map(templateFile)];
  const { summary, results } = (await runLinter(python, command)) as {
    readonly summary: { readonly resource_count: number; readonly parsing_errors: number };
    readonly results: { readonly failed_checks: readonly Record<string, string>[] };
  };
  const resources = assemblies.reduce((sum, assembly) => sum + readTemplate(assembly).resources.length, 0);
  if (summary.parsing_errors > 0 || summary.resource_count !== resources)
    throw new Error(`checkov checked ${summary.resource_count} of ${resources} resources.`);
  return results.failed_checks.map(({ check_id = '', check_name = '', resource = '', file_path = '' }) => ({
    tool: 'checkov',
    rule: check_id,
    resource: lastPart(resource, '.'),
    template: lastPart(file_path, '/'),
    message: check_name,
  }));
}

function templateFile(assembly: string): string {
  return resolve(join(assembly, `${readTemplate(assembly).stackName}.template.json`));
}

async function runLinter(python: string, command: readonly string[]): Promise<unknown> {
  const { stdout } = await promisify(execFile)(python, command, { maxBuffer: 64 * 1_048_576 });
  return JSON.parse(stdout);
}

function lastPart(text: string, separator: string): string {
  return text.split(separator).at(-1) ?? '';
}
