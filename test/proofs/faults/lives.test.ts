import { expect, test } from 'vitest';
import { eventTypes } from '../../../functions/domain/events.ts';
import { type Delivery, deliveriesIn, makeLives } from './lives.ts';

const { lives, steps } = makeLives(2_000, 1);
const deliveries = deliveriesIn(steps);

test('there are as many deliveries as wanted, of every event, and the same for the same seed', () => {
  expect(deliveries).toHaveLength(2_000);
  expect(new Set(deliveries.map(({ event }) => event))).toEqual(new Set([...eventTypes, 'unknown']));
  const bodies = (of: typeof steps) =>
    of.map((step) => ('delivery' in step ? step.delivery.body : step.happening.event));
  expect(bodies(makeLives(2_000, 1).steps)).toEqual(bodies(steps));
  expect(bodies(makeLives(2_000, 2).steps)).not.toEqual(bodies(steps));
});

test('nothing is sent before it has happened, and what happens to a document happens in the order of its life', () => {
  const happened = steps.flatMap((step, index) => ('happening' in step ? [[step.happening, index] as const] : []));
  const placeOf = new Map(happened);
  const sentAt = new Map(steps.map((step, index) => ['delivery' in step ? step.delivery : undefined, index] as const));
  for (const [{ deliveries: some }, index] of happened)
    expect(some.every((delivery) => (sentAt.get(delivery) ?? -1) > index)).toBe(true);
  for (const life of lives) {
    const places = life.map((happening) => placeOf.get(happening) ?? -1);
    expect(places).toEqual(places.toSorted((one, other) => one - other));
  }
});

test.each(eventTypes)('an event of %s is lost on the way, with all of its deliveries', (event) => {
  const some = lives.flat().filter((happening) => happening.event === event);
  const isLost = ({ isLost }: Delivery) => isLost;
  const lost = some.filter((happening) => happening.deliveries.some(isLost));
  expect(lost.length).toBeGreaterThan(0);
  expect(lost.length).toBeLessThan(some.length / 10);
  expect(lost.every((happening) => happening.deliveries.every(isLost))).toBe(true);
});
