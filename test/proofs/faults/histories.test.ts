import { expect, test } from 'vitest';
import { eventTypes } from '../../../functions/domain/events.ts';
import { createHistories, type Delivery, deliveriesIn } from './histories.ts';

const { histories, steps } = createHistories(2_000, 1);
const deliveries = deliveriesIn(steps);

test('there are as many deliveries as requested, of every event, and the same ones for the same seed', () => {
  expect(deliveries.length).toBeGreaterThanOrEqual(2_000);
  expect(deliveries.length).toBeLessThan(2_020);
  expect(new Set(deliveries.map(({ event }) => event))).toEqual(new Set([...eventTypes, 'unknown']));
  expect(new Set(histories.flat().map((uploadEvent) => uploadEvent.deliveries.length))).toEqual(new Set([1, 2]));
  const bodies = (seed: number) => deliveriesIn(createHistories(2_000, seed).steps).map(({ body }) => body);
  expect(bodies(1)).toEqual(deliveries.map(({ body }) => body));
  expect(bodies(2)).not.toEqual(bodies(1));
});

test('no webhook is sent before its event, and the events of a document happen in their order', () => {
  const positions = new Map(
    steps.map((step, index) => ['delivery' in step ? step.delivery : step.uploadEvent, index] as const),
  );
  const positionOf = (placed: unknown) => positions.get(placed as Delivery) ?? Number.NaN;
  for (const uploadEvent of histories.flat())
    for (const delivery of uploadEvent.deliveries)
      expect(positionOf(delivery)).toBeGreaterThan(positionOf(uploadEvent));
  for (const history of histories) {
    const found = history.map(positionOf);
    expect(found).toEqual(found.toSorted((one, other) => one - other));
  }
});

test.each(eventTypes)('some %s events are lost with all of their deliveries', (event) => {
  const all = histories.flat().filter((uploadEvent) => uploadEvent.event === event);
  const isLost = ({ isLost }: Delivery) => isLost;
  const lost = all.filter((uploadEvent) => uploadEvent.deliveries.some(isLost));
  expect(lost.length).toBeGreaterThan(0);
  expect(lost.length).toBeLessThan(all.length / 10);
  expect(lost.every((uploadEvent) => uploadEvent.deliveries.every(isLost))).toBe(true);
});
