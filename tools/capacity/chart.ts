/** One line of a chart: points in the axes' own units. */
export type Series = {
  readonly name: string;
  readonly color: string;
  readonly dash?: string;
  readonly points: readonly (readonly [x: number, y: number])[];
};

/** An axis from its first tick to its last one. */
export type Axis = {
  readonly title: string;
  readonly ticks: readonly (readonly [value: number, label: string])[];
  readonly isLogarithmic?: boolean;
};

/** Colours that are told apart by people who do not see all of them (Okabe and Ito), dark enough on white. */
export const colors = ['#0072b2', '#d55e00', '#007a5a', '#8b4a7d'] as const;

const size = { width: 760, height: 400 } as const;
const plot = { left: 78, top: 62, right: 730, bottom: 330 } as const;

/**
 * A line chart as SVG. It stands on a white card of its own, so that it reads the same on a light and on a dark page. The same
 * input gives the same text.
 */
export function lineChart(title: string, x: Axis, y: Axis, series: readonly Series[]): string {
  const toX = scale(x, plot.left, plot.right);
  const toY = scale(y, plot.bottom, plot.top);
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${size.height}" viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${escaped(title)}" font-family="Helvetica, Arial, sans-serif" font-size="13" fill="#24292f">`,
    `<rect x="0.5" y="0.5" width="${size.width - 1}" height="${size.height - 1}" rx="6" fill="#ffffff" stroke="#d0d7de"/>`,
    `<text x="${plot.left}" y="28" font-size="16" font-weight="bold">${escaped(title)}</text>`,
    ...y.ticks.map(([value, label]) => horizontal(toY(value), label)),
    ...x.ticks.map(([value, label]) => vertical(toX(value), label)),
    `<text x="${plot.left}" y="50" fill="#57606a">${escaped(y.title)}</text>`,
    `<text x="${(plot.left + plot.right) / 2}" y="${plot.bottom + 36}" text-anchor="middle" fill="#57606a">${escaped(x.title)}</text>`,
    ...series.map((one) => polyline(one, toX, toY)),
    ...legend(series),
    '</svg>',
  ].join('\n')}\n`;
}

function scale({ ticks, isLogarithmic = false }: Axis, from: number, to: number): (value: number) => number {
  const [first, last] = [ticks[0]?.[0] ?? 0, ticks.at(-1)?.[0] ?? 1];
  const place = (value: number) => (isLogarithmic ? Math.log10(value) : value);
  return (value) => {
    const share = (place(value) - place(first)) / (place(last) - place(first));
    return from + Math.min(1, Math.max(0, share)) * (to - from);
  };
}

function horizontal(y: number, label: string): string {
  return `<line x1="${plot.left}" y1="${round(y)}" x2="${plot.right}" y2="${round(y)}" stroke="#e3e7eb"/><text x="${plot.left - 8}" y="${round(y + 4)}" text-anchor="end">${escaped(label)}</text>`;
}

function vertical(x: number, label: string): string {
  return `<line x1="${round(x)}" y1="${plot.bottom}" x2="${round(x)}" y2="${plot.bottom + 5}" stroke="#57606a"/><text x="${round(x)}" y="${plot.bottom + 19}" text-anchor="middle">${escaped(label)}</text>`;
}

function polyline({ color, dash, points }: Series, toX: (x: number) => number, toY: (y: number) => number): string {
  const path = points.map(([x, y]) => `${round(toX(x))},${round(toY(y))}`).join(' ');
  return `<polyline fill="none" stroke="${color}" stroke-width="2.5" stroke-linejoin="round"${dash ? ` stroke-dasharray="${dash}"` : ''} points="${path}"/>`;
}

function legend(series: readonly Series[]): readonly string[] {
  const step = (plot.right - plot.left) / series.length;
  return series.map(({ name, color, dash }, index) => {
    const x = round(plot.left + index * step);
    const y = size.height - 14;
    return `<line x1="${x}" y1="${y - 4}" x2="${x + 26}" y2="${y - 4}" stroke="${color}" stroke-width="2.5"${dash ? ` stroke-dasharray="${dash}"` : ''}/><text x="${x + 32}" y="${y}">${escaped(name)}</text>`;
  });
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
