import { byId, draw, say } from './elements.ts';
import type { Overview, Throughput } from './view.ts';

// The drawing is stretched to its place: only the proportions count.
const height = 100;

/** Draws how many webhooks were received and applied in each of the last seconds. */
export function createChart() {
  const place = byId('chart');
  return ({ throughput }: Overview): void => {
    const { received, applied } = throughput;
    const most = Math.max(...received, ...applied);
    const scale = (value: number) => (value / Math.max(most, 1)) * height;
    const drawing = draw('svg', {
      viewBox: `0 0 ${received.length} ${height}`,
      preserveAspectRatio: 'none',
      role: 'img',
      'aria-labelledby': 'rate',
    });
    drawing.append(...bars(received, scale), line(applied, scale));
    place.replaceChildren(drawing);
    say(byId('chart-most'), `${Math.max(most, 1)} a second`);
    say(byId('chart-start'), `${received.length} s ago`);
    say(byId('rate'), rateText(throughput, most));
  };
}

// The second that has just passed: the current one is not over.
function rateText({ received, applied }: Throughput, most: number): string {
  if (most === 0) return `Nothing in the last ${received.length} seconds.`;
  return `In the last second ${received.at(-2)} received, ${applied.at(-2)} applied.`;
}

function bars(values: readonly number[], scale: (value: number) => number): SVGElement[] {
  return values.flatMap((value, index) => {
    if (value === 0) return [];
    const size = Math.max(scale(value), 1.5);
    return [draw('rect', { x: index, y: height - size, width: 0.85, height: size, class: 'received' })];
  });
}

function line(values: readonly number[], scale: (value: number) => number): SVGElement {
  const points = values.map((value, index) => `${index + 0.5},${height - scale(value)}`);
  const shape = { points: points.join(' '), 'vector-effect': 'non-scaling-stroke', class: 'applied' };
  return draw('polyline', shape);
}
