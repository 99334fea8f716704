import { type ChildProcess, spawn } from 'node:child_process';
import type { Clock } from '../base/clock.ts';
import { describeError } from '../base/errors.ts';

export interface RunOptions {
  readonly clock: Clock;
  /** Kills the program when it aborts. */
  readonly signal: AbortSignal;
  /** Milliseconds after which the program is killed. */
  readonly deadline: number;
  /** Octets of output that are kept; what comes after them is read and dropped. */
  readonly maxOutput: number;
  /** What it reads from stdin; nothing when absent. */
  readonly input?: string;
  /** Variables of its environment beside PATH and LANG. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** How a program ended, and what it wrote to stdout and stderr up to then. */
export interface ProgramEnd {
  /** Its exit code; absent when it did not start or was killed. */
  readonly code?: number;
  /** What kept it from ending by itself, a sentence. */
  readonly failure?: string;
  readonly output: string;
}

/** Who left a child behind keeps the pipes open; the output is complete enough then, ms. */
const AFTER_EXIT = 500;

/**
 * Runs a program without a shell and with a clean environment, in a process group of its own that is killed as one. Never
 * rejects.
 */
export function runProgram(argv: readonly string[], options: RunOptions): Promise<ProgramEnd> {
  const { clock, signal, deadline, maxOutput } = options;
  return new Promise((resolve) => {
    const output = new BoundedOutput(maxOutput);
    if (signal.aborted) return resolve({ failure: 'stopped before it began', output: '' });
    let child: ChildProcess;
    try {
      child = start(argv, options);
    } catch (error) {
      return resolve({ failure: describeError(error), output: '' });
    }
    let failure: string | undefined;
    const kill = (why: string) => {
      failure ??= why;
      killGroup(child);
    };
    const onAbort = () => kill('stopped before it ended');
    signal.addEventListener('abort', onAbort, { once: true });
    const cancels = [clock.after(deadline, () => kill(`killed after ${deadline / 1000} s`))];
    const end = (code: number | null) => {
      signal.removeEventListener('abort', onAbort);
      for (const cancel of cancels) cancel();
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
      failure ??= code === null ? 'killed' : undefined;
      resolve({ ...(failure === undefined ? { code: code ?? 0 } : { failure }), output: output.text() });
    };
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (octets: Buffer) => output.add(octets));
    // It need not read what it is given.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(options.input);
    child.on('error', (error) => {
      failure ??= error.message;
      end(null);
    });
    child.on('exit', (code) => cancels.push(clock.after(AFTER_EXIT, () => end(code))));
    child.on('close', end);
  });
}

function start([file = '', ...args]: readonly string[], { input, environment }: RunOptions): ChildProcess {
  return spawn(file, args, {
    cwd: '/',
    env: { ...environment, PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8' },
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    detached: true,
  });
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

class BoundedOutput {
  readonly #chunks: Buffer[] = [];
  #left: number;

  constructor(size: number) {
    this.#left = size;
  }

  add(octets: Buffer): void {
    if (this.#left === 0) return;
    const kept = octets.subarray(0, this.#left);
    this.#chunks.push(kept);
    this.#left -= kept.length;
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString();
  }
}
