import { spawnSync } from 'node:child_process';

/**
 * Why a test that needs these programs cannot run here, for the `skip` of a test; false when all are there. On CI they
 * must be there: the test then runs, and fails.
 */
export function missingPrograms(programs: readonly string[], packages: string): string | false {
  const missing = programs.filter((program) => spawnSync('which', [program]).status !== 0);
  if (missing.length === 0 || process.env['CI'] === 'true') return false;
  return `no ${missing.join(', ')} here: apt-get install ${packages}`;
}
