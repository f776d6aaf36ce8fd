import { type Check, check, expectAnswer } from '../check.ts';
import { forgeriesOf, forgeryKinds } from '../forgeries.ts';
import { bodyOfSize, dataOf, sampleEvent, sampleUnknownEvent, sampleUpload, webhookBody } from '../samples.ts';

/** What is not signed is refused, whatever it says. */
export const signatures: readonly Check[] = [
  ...forgeryKinds.map((kind) =>
    check(`refuses ${kind}`, [], async (receiver) => {
      for (const { how, body, signature } of forgeriesOf(receiver.secret, [kind])) {
        expectAnswer(await receiver.post(body, { signature }), 'bad_signature', how);
      }
    }),
  ),

  check('refuses what is unsigned before it looks at what it says', [], async (receiver) => {
    const bodies = {
      'no JSON': 'not JSON',
      'an empty body': '',
      'an unknown event': webhookBody(sampleUnknownEvent),
      'missing ids': JSON.stringify({ event: sampleEvent, data: {} }),
      'an extra field': JSON.stringify({ event: sampleEvent, data: dataOf(sampleUpload()), extra: true }),
      '512 KiB': bodyOfSize(512 * 1024),
    };
    for (const [what, body] of Object.entries(bodies)) {
      expectAnswer(await receiver.post(body, { signature: '0'.repeat(128) }), 'bad_signature', what);
    }
  }),
];
