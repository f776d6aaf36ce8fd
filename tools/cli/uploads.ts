import { runUploads } from './program.ts';
import { processTerminal } from './report.ts';

// A reader such as `head` closes the pipe when it has read enough.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });

process.exitCode = await runUploads(process.argv.slice(2), processTerminal);
