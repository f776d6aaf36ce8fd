import { expect, test } from 'vitest';
import { LoggableError } from '../../../functions/domain/loggable-error.ts';
import { createReconcile, type ReconcileDependencies } from '../../../functions/reconciliation/handler.ts';

// Lambda logs the message of every error that a function throws.
test.each([
  { thrown: new SyntaxError('payload'), message: 'see the log line reconciliation_failed for the cause.' },
  { thrown: Object.assign(new Error('payload'), { $fault: 'client' }), message: 'see the log line' },
  { thrown: new LoggableError('a safe sentence'), message: 'a safe sentence' },
])(
  'the error $thrown.name is logged, and thrown with its message only if it is loggable',
  async ({ thrown, message }) => {
    const logged: unknown[] = [];
    const dependencies: Partial<Record<keyof ReconcileDependencies, unknown>> = {
      state: { acquire: () => Promise.reject(thrown) },
      telemetry: { error: (code: string, error: unknown) => logged.push([code, error]) },
      nowMs: () => 0,
    };
    const reconcile = createReconcile(dependencies as unknown as ReconcileDependencies);
    const invocation = { awsRequestId: 'request', functionName: 'function', getRemainingTimeInMillis: () => 60_000 };

    const error: Error = await reconcile({}, invocation).then(
      () => Promise.reject(new Error('It did not fail.')),
      (reason) => reason,
    );

    expect(error.message).toContain(message);
    expect(`${error.stack} ${error.cause}`).not.toContain('payload');
    expect(logged).toEqual([['reconciliation_failed', thrown]]);
  },
);
