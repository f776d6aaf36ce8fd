import { createAgenda } from './agenda.ts';
import { createLine } from './line.ts';
import { addPoller, type Mapping, offer, type QueueOutcome, type QueueSetup, type QueueTraffic } from './mapping.ts';

/** Runs messages through one queue and its worker in virtual time: the same random numbers give the same outcome. */
export function simulateQueue(setup: QueueSetup, traffic: QueueTraffic): QueueOutcome {
  const agenda = createAgenda();
  const mapping: Mapping = {
    ...{ setup, traffic, agenda, line: createLine(setup), idle: [], outcome: emptyOutcome() },
    ...{ pollers: 0, waits: 0, isGrowing: false, hasEnded: false },
  };
  letArrive(mapping, traffic.arrivalsMs[Symbol.iterator]());
  for (let count = 0; count < setup.firstPollers; count += 1) addPoller(mapping);
  if (traffic.sampleEveryMs) look(mapping, traffic.sampleEveryMs);
  agenda.run(traffic.endMs);
  return mapping.outcome;
}

function letArrive(mapping: Mapping, arrivals: Iterator<number>): void {
  const { value, done } = arrivals.next();
  if (done) {
    mapping.hasEnded = true;
    return;
  }
  mapping.agenda.at(value, () => {
    mapping.outcome.arrived += 1;
    mapping.line.put({ arrivedMs: mapping.agenda.nowMs(), receives: 0 });
    letArrive(mapping, arrivals);
    offer(mapping);
  });
}

function look(mapping: Mapping, everyMs: number): void {
  const { agenda, line, outcome, hasEnded } = mapping;
  outcome.samples.push({ timeMs: agenda.nowMs(), visible: line.visible(), inFlight: line.inFlight() });
  if (!hasEnded || outcome.applied + line.dead() < outcome.arrived)
    agenda.at(agenda.nowMs() + everyMs, () => look(mapping, everyMs));
}

function emptyOutcome(): QueueOutcome {
  return {
    ...{ arrived: 0, applied: 0, dead: 0, receives: 0, emptyReceives: 0, mostPollers: 0, mostInFlight: 0 },
    ...{ lastAppliedMs: 0, longestMs: 0, busyMs: 0, batches: [], postponements: [], samples: [] },
  };
}
