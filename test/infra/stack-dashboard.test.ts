import { describe, expect, test } from 'vitest';
import { eventTypes } from '../../functions/domain/events.ts';
import { allAssemblies, type Resource, readStack } from '../support/synthesized-stack.ts';

type Widget = {
  readonly type: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly properties: Resource['Properties'];
};

describe.each(allAssemblies)('the dashboard of %s', (assembly) => {
  const stack = readStack(assembly);
  const alarms = stack.all('AWS::CloudWatch::Alarm');
  const widgets = widgetsOf(stack.one('AWS::CloudWatch::Dashboard').Properties.DashboardBody);
  const rows = widgets.flatMap(({ properties }) => properties.markdown?.replace('## ', '') ?? []);
  const titlesIn = (row: string) => {
    const heading = widgets.findIndex(({ properties }) => properties.markdown === `## ${row}`);
    const next = widgets.findIndex(({ type }, index) => index > heading && type === 'text');
    return widgets.slice(heading + 1, next === -1 ? undefined : next).map(({ properties }) => properties.title);
  };

  test('begins with the state of every alarm', () => {
    expect(widgets[0]?.properties.alarms).toHaveLength(alarms.length);
  });

  test('has a row for the overview, ingest and each event of the catalogue, in this order', () => {
    expect(rows.slice(0, 2 + eventTypes.length)).toEqual(['overview', 'ingest', ...eventTypes]);
  });

  test('has the same graphs in the same order for each event', () => {
    const [first, ...others] = eventTypes.map(titlesIn);
    expect(first).toHaveLength(7);
    expect(others).toEqual(others.map(() => first));
  });

  test('shows the threshold of each alarm on a graph in its row', () => {
    const undrawn = alarms.filter(({ Properties }) => {
      const [, row = '', section = ''] = Properties.AlarmName.split('/');
      const title = section.replaceAll('-', ' ');
      const graph = widgets.filter(
        ({ properties }) => properties.title?.toLowerCase() === title && titlesIn(row).includes(properties.title),
      );
      return !graph.some(({ properties }) => properties.annotations?.horizontal[0]?.value === Properties.Threshold);
    });
    expect(undrawn).toEqual([]);
  });

  test('has no widgets that overlap or exceed its width', () => {
    const cells = widgets.flatMap(({ x, y, width, height }) =>
      Array.from({ length: width * height }, (_, cell) => `${x + (cell % width)} ${y + Math.floor(cell / width)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(Math.max(...widgets.map(({ x, width }) => x + width))).toBeLessThanOrEqual(24);
  });

  test('has the URL of the output DashboardUrl', () => {
    const { DashboardName } = stack.one('AWS::CloudWatch::Dashboard').Properties;
    const { Value } = Object.values(stack.template.findOutputs('DashboardUrl'))[0] as { Value: unknown };
    expect(textOf(DashboardName)).toBe(`${stack.name}-REGION`);
    expect(textOf(Value)).toBe(
      `https://REGION.console.aws.amazon.com/cloudwatch/home?region=REGION#dashboards/dashboard/${stack.name}-REGION`,
    );
  });
});

function widgetsOf(body: unknown): readonly Widget[] {
  return JSON.parse(textOf(body)).widgets;
}

// The text with the region as REGION and any other reference as REFERENCE.
function textOf(joined: unknown): string {
  const [delimiter, parts] = Object(joined)['Fn::Join'];
  return parts
    .map((part: unknown) => {
      if (typeof part === 'string') return part;
      return Object(part).Ref === 'AWS::Region' ? 'REGION' : 'REFERENCE';
    })
    .join(delimiter);
}
