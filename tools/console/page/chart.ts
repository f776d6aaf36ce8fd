import type { Overview } from './api.ts';
import { byId, draw, patch } from './elements.ts';

// The drawing is stretched to the size of its container, so only proportions matter.
const height = 100;

/** Draws the webhooks that were received and applied in each of the last seconds. */
export function showChart({ throughput: { received, applied } }: Overview): void {
  const max = Math.max(...received, ...applied);
  const scale = (value: number) => (value / Math.max(max, 1)) * height;
  const bars = received.flatMap((value, index) => {
    const size = Math.max(scale(value), 1.5);
    return value ? [draw('rect', { x: index, y: height - size, width: 0.85, height: size })] : [];
  });
  const points = applied.map((value, index) => `${index + 0.5},${height - scale(value)}`).join(' ');
  const line = draw('polyline', { points, 'vector-effect': 'non-scaling-stroke' });
  const attributes = { viewBox: `0 0 ${received.length} ${height}`, preserveAspectRatio: 'none', role: 'img' };
  patch(byId('chart'), draw('svg', { ...attributes, 'aria-labelledby': 'rate' }, ...bars, line));
  patch(byId('chart-max'), `${Math.max(max, 1)} per second`);
  patch(byId('chart-start'), `${received.length} s ago`);
  // The current second is not over yet.
  const [lastReceived, lastApplied] = [received.at(-2), applied.at(-2)];
  const rate = `In the last second: ${lastReceived} received, ${lastApplied} applied.`;
  patch(byId('rate'), max === 0 ? `Nothing in the last ${received.length} seconds.` : rate);
}
