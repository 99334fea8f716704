import { type ChildProcess, spawnSync } from 'node:child_process';
import { once } from 'node:events';

/**
 * Why a test that needs these programs cannot run here, for the `skip` of a test; false when all are there. On CI they
 * must be there: the test then runs, and fails.
 */
export function missingPrograms(programs: readonly string[], packages: string): string | false {
  const missing = programs.filter((program) => spawnSync('which', [program]).status !== 0);
  if (missing.length === 0 || process.env['CI'] === 'true') return false;
  return `no ${missing.join(', ')} here: apt-get install ${packages}`;
}

/** Time to end in order, ms. */
const ORDERLY = 5_000;

/**
 * Ends a program. The signal is repeated, since mosquitto forgets one that comes just before its main loop begins; and there is
 * an end to patience, since mosquitto_sub takes a lock in its handler and may wait for itself.
 */
export async function end(child: ChildProcess | undefined, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  const again = setInterval(() => child.kill(signal), 100);
  const atLast = setTimeout(() => child.kill('SIGKILL'), ORDERLY);
  child.kill(signal);
  await ended;
  clearInterval(again);
  clearTimeout(atLast);
}
