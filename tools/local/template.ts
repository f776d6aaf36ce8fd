import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

// biome-ignore lint/suspicious/noExplicitAny: the shape of a resource's properties depends on its CloudFormation type
export type Properties = Record<string, any>;

export type Resource = {
  readonly logicalId: string;
  readonly type: string;
  readonly properties: Properties;
};

/** A synthesized stack: its resources, its outputs and the code of its functions. */
export type Template = {
  readonly stackName: string;
  readonly resources: readonly Resource[];
  /** Unresolved values. */
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly ofType: (type: string) => readonly Resource[];
  /** Returns the folder of a function's code. */
  readonly codeDirectory: (lambda: Resource) => string;
};

/** The values of a provisioned resource for Ref and GetAtt. */
export type Identity = { readonly ref: string; readonly attributes: Readonly<Record<string, string>> };

/** By logical id. */
export type Identities = ReadonlyMap<string, Identity>;

/** A template with the identities of its resources on this machine. */
export type LocalStack = { readonly template: Template; readonly identities: Identities };

/** The account, region and stack of the local pipeline. */
export const pseudoParameters = {
  'AWS::AccountId': '000000000000',
  'AWS::Region': 'us-east-1',
  'AWS::Partition': 'aws',
  'AWS::URLSuffix': 'amazonaws.com',
  'AWS::StackId': 'arn:aws:cloudformation:us-east-1:000000000000:stack/local/00000000-0000-0000-0000-000000000000',
} as const;

/** Reads the stack of a cloud assembly that has one stack. */
export function readTemplate(assembly: string): Template {
  const suffix = '.template.json';
  const file = readdirSync(assembly).find((name) => name.endsWith(suffix));
  if (!file) throw new Error(`There is no template in ${assembly}.`);
  const stackName = file.slice(0, -suffix.length);
  const { Resources, Outputs = {} } = readJson<{
    Resources: Record<string, { Type: string; Properties?: object }>;
    Outputs?: Record<string, { Value: unknown }>;
  }>(join(assembly, file));
  const { files } = readJson<{ files: Record<string, { source: { path: string } }> }>(
    join(assembly, `${stackName}.assets.json`),
  );
  const resources = Object.entries(Resources).map(([logicalId, { Type, Properties = {} }]) => ({
    logicalId,
    type: Type,
    properties: Properties,
  }));
  return {
    stackName,
    resources,
    outputs: Object.fromEntries(Object.entries(Outputs).map(([name, { Value }]) => [name, Value])),
    ofType: (type) => resources.filter((resource) => resource.type === type),
    codeDirectory: ({ logicalId, properties }) => {
      const asset = files[properties.Code.S3Key.replace(/\.zip$/, '')];
      if (!asset) throw new Error(`The cloud assembly has no code for ${logicalId}.`);
      return join(assembly, asset.source.path);
    },
  };
}

/**
 * Returns a value with all intrinsic functions resolved. `Shape` is what the caller expects; it is not checked. Throws when
 * a function cannot be resolved.
 */
export function resolve<Shape = string>(value: unknown, identities: Identities): Shape {
  return resolveAny(value, identities) as Shape;
}

/** Whether a resource is created by a function of the stack. */
export function isCustom({ type }: Pick<Resource, 'type'>): boolean {
  return /^Custom::|^AWS::CloudFormation::CustomResource$/.test(type);
}

function resolveAny(value: unknown, identities: Identities): unknown {
  if (Array.isArray(value)) return value.map((item) => resolveAny(item, identities));
  if (typeof value !== 'object' || value === null) return value;
  const [[name, argument] = ['', undefined], ...others] = Object.entries(value);
  if (others.length === 0 && (name === 'Ref' || name.startsWith('Fn::'))) return intrinsic(name, argument, identities);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolveAny(item, identities)]));
}

function intrinsic(name: string, argument: unknown, identities: Identities): string | readonly string[] {
  if (name === 'Ref') return reference(String(argument), identities);
  if (name === 'Fn::GetAtt') {
    const [logicalId, attribute] = argument as [string, string];
    return defined(identities.get(logicalId)?.attributes[attribute], `${name} ${logicalId}.${attribute}`);
  }
  if (name === 'Fn::Join') {
    const [delimiter, parts] = resolve<[string, string[]]>(argument, identities);
    return parts.join(delimiter);
  }
  if (name === 'Fn::Split') {
    const [delimiter, text] = resolve<[string, string]>(argument, identities);
    return text.split(delimiter);
  }
  if (name === 'Fn::Select') {
    const [index, parts] = resolve<[number, string[]]>(argument, identities);
    return defined(parts[index], `${name} ${index}`);
  }
  return defined(undefined, name);
}

function reference(logicalId: string, identities: Identities): string {
  const value = pseudoParameters[logicalId as keyof typeof pseudoParameters] ?? identities.get(logicalId)?.ref;
  return defined(value, `Ref ${logicalId}`);
}

function defined(value: string | undefined, what: string): string {
  if (value === undefined) throw new Error(`The local pipeline cannot resolve ${what} of the template.`);
  return value;
}

function readJson<Shape>(file: string): Shape {
  return JSON.parse(readFileSync(file, 'utf8')) as Shape;
}
