import type { Clock } from '../base/clock.ts';
import { GatewayError } from '../base/errors.ts';
import { AtError } from './at/answer.ts';
import type { AtChannel } from './at/channel.ts';

/** What a modem said to one AT command by a person. */
export interface AtAnswer {
  readonly lines: readonly string[];
  /** The final result: `OK`, `ERROR`, `+CME ERROR: 10`. */
  readonly result: string;
}

/** Execute forms and queries of vendors that change nothing. */
const readers =
  /^AT(I\d?|\+(CSQ|CESQ|CEER|CPAS|CBC|CCID|ICCID|QCCID|CIMI|CNUM|CPINR|CLAC|C?GM[IMR]|C?GSN|GCAP|QCSQ|QNWINFO|QSPN|QTEMP|CPSI\?|QENG="(servingcell|neighbourcell)")|\^(HCSQ|SYSINFO(EX)?|VERSION)\??|#(CCID|RFSTS|MONI))?$/i;
/**
 * Read and test forms of one command (TS 27.007 4). +COPS=? takes the radio away for minutes. Not `AT&F?`: in the basic
 * syntax of V.250 5.3.1 that is the command &F, which resets the modem, and something behind it.
 */
const queries = /^AT[+^*#%$](?!COPS=)[A-Z0-9]+=?\?$/i;

/** Whether a command only reads. */
export function onlyReads(command: string): boolean {
  return readers.test(command) || queries.test(command);
}

/** Throws GatewayError when a person may not give this command. */
export function checkByHand(command: string, allowed: 'read' | 'all'): void {
  if (!/^AT[ -~]{0,250}$/i.test(command)) {
    throw new GatewayError('invalid_argument', 'argument command: wanted AT and up to 250 printable characters');
  }
  if (allowed === 'all' || onlyReads(command)) return;
  throw new GatewayError(
    'access_denied',
    'this AT command does not only read: it needs the option at_commands "all" of the modem',
  );
}

/** Longest wait for the answer, ms. */
const ANSWER_TIMEOUT = 60_000;
/** Longest wait for the line before that, ms: a message whose answer is late holds it for up to 160 s. */
const LINE_TIMEOUT = 30_000;

/** Gives the command; `given` is called when it goes out. Throws GatewayError timeout, modem_unavailable. */
export async function giveByHand(
  channel: AtChannel,
  command: string,
  clock: Clock,
  signal: AbortSignal,
  given: () => void,
): Promise<AtAnswer> {
  const late = new AbortController();
  const busy = new GatewayError(
    'modem_unavailable',
    `the modem is busy with another command for ${LINE_TIMEOUT / 1000} s`,
  );
  const cancel = clock.after(LINE_TIMEOUT, () => late.abort(busy));
  try {
    const lines = await channel.transaction('submit', AbortSignal.any([signal, late.signal]), (line) => {
      cancel();
      given();
      return line.command(command, { timeout: ANSWER_TIMEOUT });
    });
    return { lines, result: 'OK' };
  } catch (error) {
    if (error instanceof GatewayError) throw error;
    const kind = error instanceof AtError ? error.kind : undefined;
    if (error instanceof AtError && (kind === 'cms' || kind === 'cme' || kind === 'error')) {
      return { lines: [], result: error.message };
    }
    if (signal.aborted || kind === 'aborted')
      throw new GatewayError('timeout', 'the command was given up', { cause: error });
    if (kind === 'timeout') throw new GatewayError('timeout', 'the modem did not answer this command');
    throw new GatewayError('modem_unavailable', 'the modem went away before it answered', { cause: error });
  } finally {
    cancel();
  }
}
