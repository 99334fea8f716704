import { sleep } from '../base/clock.ts';
import { AtError } from './at/at-error.ts';
import type { CommandLine } from './at/channel.ts';
import { type CommandOptions, informationName } from './at/command.ts';
import type { LifeContext } from './life-context.ts';
import { busyness } from './optional.ts';

/** ms until a step that was refused as busy is asked again; doubles up to the longest. */
const FIRST_WAIT = 500;
const LONGEST_WAIT = 8_000;
/** ms that a busy SIM gets for one step: beyond that it is no busy one, and the modem is reset. */
const BUSY_PATIENCE = 180_000;
/** ms that all steps together get whose refusal may also be for good; one that is refused longer is not asked again. */
const PERHAPS_PATIENCE = 30_000;

/**
 * The line for setting up a modem whose SIM may be busy in the first seconds: what is refused as busy is asked again
 * until it is done, and the state says so. Busy is not unsupported.
 */
export function patientLine(
  line: CommandLine,
  { board, clock, refusedForGood }: LifeContext,
  signal: AbortSignal,
): CommandLine {
  let perhapsLeft = PERHAPS_PATIENCE;

  const command = async (text: string, options?: CommandOptions): Promise<readonly string[]> => {
    const began = clock.monotonic();
    for (let wait = FIRST_WAIT; ; wait = Math.min(LONGEST_WAIT, wait * 2)) {
      try {
        const lines = await line.command(text, options);
        refusedForGood.delete(text);
        return lines;
      } catch (error) {
        const busy = error instanceof AtError ? busyness(error) : undefined;
        if (busy === undefined || (busy === 'perhaps' && !isMessageCommand(text))) throw error;
        if (busy === 'perhaps' && (perhapsLeft <= 0 || refusedForGood.has(text))) {
          refusedForGood.add(text);
          throw error;
        }
        if (clock.monotonic() - began >= BUSY_PATIENCE) throw new AtError('silent', 'the SIM stays busy');
        board.enter('setting_up', `the modem is busy, ${informationName(text) ?? text} is asked again`);
        await sleep(clock, wait, signal);
        if (busy === 'perhaps') perhapsLeft -= wait;
      }
    }
  };
  return { command };
}

/** The commands of TS 27.005 without which no message comes; for others a refusal that may be for good counts as one. */
function isMessageCommand(text: string): boolean {
  return /^AT\+(CPMS|CNMI|CMGF|CSMS)\b/.test(text);
}
