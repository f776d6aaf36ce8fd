import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { requestDeadlineMs } from '../../../functions/ingest/handler.ts';
import { sample, sampleBody, signedRequest } from '../../support/builders/builders.ts';
import { json, setUpIngest } from '../../support/builders/ingest.ts';
import { fakeSecrets, fakeSendMessage } from '../../support/fakes/fakes.ts';

const ids = { deliveryId: sample.requestId };
const refuse = async () => Promise.reject(new Error('no'));

describe('a failure of our own is answered 503 with Retry-After', () => {
  const unavailable = json(503, 'unavailable', { 'retry-after': '30' });

  it.each([
    { failure: 'the queue refuses', body: sampleBody(), setup: { queue: fakeSendMessage(refuse) } },
    { failure: 'the quarantine queue refuses', body: 'not JSON', setup: { queue: fakeSendMessage(refuse) } },
  ])('when $failure', async ({ body, setup }) => {
    const { ingest, sent, measured, errors } = setUpIngest(setup);
    expect(await ingest(signedRequest(body))).toEqual(unavailable);
    expect(sent).toEqual([]);
    expect(errors).toEqual([{ code: 'delivery_not_queued', error: expect.any(Error), fields: ids }]);
    const fields = { ...ids, status: 'unavailable' };
    expect(measured).toEqual([{ metrics: { Unavailable: 1, DurationMs: 0 }, fields }]);
  });

  it('when the secrets cannot be read', async () => {
    const { ingest, sent, measured, errors } = setUpIngest({ secrets: fakeSecrets(new Error('no')) });
    expect(await ingest(signedRequest(sampleBody()))).toEqual(unavailable);
    expect(sent).toEqual([]);
    expect(errors).toEqual([{ code: 'secret_unreadable', error: expect.any(Error), fields: ids }]);
    const metrics = { Unavailable: 1, SecretUnreadable: 1, DurationMs: 0 };
    const fields = { ...ids, status: 'unavailable', reason: 'secret_unreadable' };
    expect(measured).toEqual([{ metrics, fields }]);
  });

  it("within the function's time-out of 8 s, in one limit for secrets and queue", async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { secrets } = fakeSecrets();
    const verify: typeof secrets.verify = async (isSigned, deadline) => {
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      return secrets.verify(isSigned, deadline);
    };
    const slow = { ...fakeSecrets(), secrets: { verify } };
    const { ingest } = setUpIngest({ secrets: slow, queue: fakeSendMessage(hang), deadlineMs: requestDeadlineMs });
    const answered = vi.fn();
    void ingest(signedRequest(sampleBody())).then(answered);
    await vi.advanceTimersByTimeAsync(requestDeadlineMs);
    expect(answered.mock.calls).toEqual([[unavailable]]);
    expect(requestDeadlineMs).toBeLessThan(8_000);
  });
});

function hang(abortSignal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => abortSignal.addEventListener('abort', () => reject(abortSignal.reason)));
}
