import { runUploads } from './program.ts';
import { processTerminal } from './report.ts';

process.exitCode = await runUploads(process.argv.slice(2), processTerminal);
