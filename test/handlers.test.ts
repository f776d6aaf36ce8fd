import { afterEach, describe, expect, it, vi } from 'vitest';
import { environment } from '../functions/aws/environment.ts';
import { handler as ingest } from '../functions/ingest/handler.ts';
import { handler as describeChanges } from '../functions/record-changes/handler.ts';
import { handler as work } from '../functions/worker/handler.ts';
import { sampleBody, signedRequest } from './support/builders/builders.ts';
import { json } from './support/builders/ingest.ts';

// The end-to-end tests show on the bundles that the template's variables are correct.
describe('each handler has a clock and a log', () => {
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  });

  it('of ingest', async () => {
    const lines = printedLines();
    expect(await ingest(signedRequest(sampleBody(), { signature: null }))).toEqual(json(401, 'bad_signature'));
    expect(lines().map((line) => JSON.parse(line))).toMatchObject([{ BadSignature: 1, status: 'bad_signature' }]);
  });

  it('of a worker', async () => {
    const lines = printedLines();
    expect(await work({ Records: [] })).toEqual({ batchItemFailures: [] });
    expect(lines().map((line) => JSON.parse(line))).toMatchObject([
      { Applied: 0, DocumentsWritten: 0, records: '0', service: 'unused' },
    ]);
  });

  it('of a worker without Argyle credentials, which prints no document metrics', async () => {
    const lines = printedLines();
    vi.stubEnv(environment.argyleCredentialsId, undefined);
    vi.resetModules();
    const { handler } = await import('../functions/worker/handler.ts');
    expect(await handler({ Records: [] })).toEqual({ batchItemFailures: [] });
    expect(lines().map((line) => JSON.parse(line))).not.toMatchObject([{ DocumentsWritten: 0 }]);
  });

  it('of record changes', async () => {
    const lines = printedLines();
    expect(await describeChanges([])).toEqual([]);
    expect(lines().map((line) => JSON.parse(line))).toMatchObject([{ ChangesPublished: 0, records: '0' }]);
  });
});

function printedLines(): () => string[] {
  const chunks: string[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => chunks.push(String(chunk)) > 0);
  return () => chunks.join('').trim().split('\n');
}
