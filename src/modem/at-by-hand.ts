import { GatewayError } from '../base/errors.ts';

/** What a modem said to one AT command by a person. */
export interface AtAnswer {
  readonly lines: readonly string[];
  /** The final result: `OK`, `ERROR`, `+CME ERROR: 10`. */
  readonly result: string;
}

/** Execute forms and queries of vendors that change nothing. */
const readers =
  /^AT(I\d?|\+(CSQ|CESQ|CEER|CPAS|CBC|CCID|ICCID|QCCID|CIMI|CNUM|CPINR|CLAC|C?GM[IMR]|C?GSN|GCAP|QCSQ|QNWINFO|QSPN|QTEMP|CPSI\?|QENG="(servingcell|neighbourcell)")|\^(HCSQ|SYSINFO(EX)?|VERSION)\??|#(CCID|RFSTS|MONI))?$/i;
/** Read and test forms of one command (TS 27.007 4); +COPS=? takes the radio away for minutes. */
const queries = /^AT[+^*#%$&](?!COPS=)[A-Z0-9]+=?\?$/i;

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
