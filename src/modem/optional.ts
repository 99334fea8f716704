import { AtError } from './at/at-error.ts';
import type { AtLine } from './at/channel.ts';
import type { CommandOptions } from './at/command.ts';

/** The modem lives and said no, or nothing, to this one command. */
export function isRefusal(error: unknown): error is AtError {
  return error instanceof AtError && ['cms', 'cme', 'error', 'timeout'].includes(error.kind);
}

/** A command that a modem may do without: undefined when it refuses. Throws only when the line itself is lost. */
export async function optional(
  line: AtLine,
  text: string,
  options?: CommandOptions,
): Promise<readonly string[] | undefined> {
  try {
    return await line.command(text, options);
  } catch (error) {
    if (isRefusal(error)) return undefined;
    throw error;
  }
}
