import { type ServerOptions, serve } from './server.ts';

// The fake's own process: it gets its options by message, answers with its port, and ends with its parent.
process.on('disconnect', () => process.exit());
process.once('message', async (options: Omit<ServerOptions, 'onLog'>) => {
  try {
    process.send?.({ port: await serve({ ...options, onLog: (line) => console.log(line) }) });
  } catch (error) {
    process.send?.({ code: (error as NodeJS.ErrnoException).code ?? String(error) });
  }
});
