import { runCommandLine } from './cli.ts';

// `smsgw list | head -1` closes the pipe early; that is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 74));

void runCommandLine(process.argv.slice(2), process).then((code) => {
  process.exitCode = code;
});
