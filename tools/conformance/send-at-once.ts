import type { Answer, Receiver } from './receiver.ts';

/**
 * Sends bodies over as many connections so that all are under way before the last byte of any: whatever the receiver
 * keeps while a request lasts, it keeps for all of them at the same time.
 */
export async function sendAtOnce(receiver: Receiver, bodies: readonly string[]): Promise<readonly Answer[]> {
  const deliveries = bodies.map((body) => {
    const bytes = Buffer.from(body);
    return { bytes, delivery: receiver.open(bytes) };
  });
  try {
    await Promise.all(deliveries.map(({ bytes, delivery }) => delivery.write(bytes.subarray(0, -1))));
    await receiver.roundTrip();
    return await Promise.all(deliveries.map(({ bytes, delivery }) => delivery.end(bytes.subarray(-1))));
  } finally {
    for (const { delivery } of deliveries) delivery.cancel();
  }
}
