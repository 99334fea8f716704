import { deferred, onAbort } from '../base/abort.ts';
import type { Clock } from '../base/clock.ts';
import { GatewayError } from '../base/errors.ts';
import { encodeSeptets, packUssd, toHex } from '../sms/index.ts';
import type { AtChannel } from './at/channel.ts';
import { isRefusal } from './at/line.ts';
import type { Unsolicited } from './at/unsolicited.ts';
import type { ModemFamily } from './families.ts';
import { ussdText } from './ussd-text.ts';

export type UssdCode = Extract<Unsolicited, { type: 'ussd' }>;

/** Longest wait for the network, ms. Networks end a request by themselves after half of it. */
const DEADLINE = 60_000;

/** <dcs> of a request: GSM 7-bit, language unspecified (TS 23.038 5). */
const GSM7 = 15;

/** USSD requests (TS 27.007 7.15), one at a time. A menu stays open: the next request is the answer to it. */
export class Ussd {
  readonly #channel: AtChannel;
  readonly #family: ModemFamily;
  readonly #clock: Clock;
  #waiting: ((code: UssdCode) => void) | undefined;

  constructor(channel: AtChannel, family: ModemFamily, clock: Clock) {
    this.#channel = channel;
    this.#family = family;
    this.#clock = clock;
  }

  /** The modem said +CUSD. False when no request waits for it. */
  received(code: UssdCode): boolean {
    this.#waiting?.(code);
    return this.#waiting !== undefined;
  }

  /** The text of a code that answers no request. */
  textOf({ text, dcs }: UssdCode): string {
    return ussdText(text, dcs, this.#family);
  }

  /** The network's answer. `signal` ends the request, `closed` aborts when the connection ends. Throws GatewayError. */
  async request(code: string, signal: AbortSignal, closed: AbortSignal): Promise<string> {
    if (!/^[ !#-~]{1,160}$/.test(code))
      throw new GatewayError('invalid_argument', 'argument code: wanted 1 to 160 ASCII characters without quotes');
    if (this.#waiting !== undefined) throw new GatewayError('wrong_state', 'another USSD request is under way');
    if (signal.aborted) throw new GatewayError('timeout', 'the USSD request was given up');
    const text = this.#family.packedUssd ? packed(code) : code;
    const answer = deferred<UssdCode>();
    // Ends the command as well: one that still waits for the line must not go out after its request was given up.
    const over = new AbortController();
    let given = false;
    const giveUp = (why: string) => {
      over.abort();
      if (given) this.#cancel(closed);
      answer.reject(new GatewayError('timeout', why));
    };
    const releases = [
      this.#clock.after(DEADLINE, () =>
        giveUp(given ? 'the network did not answer the USSD request' : 'the modem is busy with another command'),
      ),
      onAbort(signal, () => giveUp('the USSD request was given up')),
      onAbort(closed, () => answer.reject(closed.reason)),
    ];
    this.#waiting = answer.resolve;
    const command = this.#channel.transaction('submit', AbortSignal.any([closed, over.signal]), (line) => {
      given = true;
      return line.command(`AT+CUSD=1,"${text}",${GSM7}`, { timeout: DEADLINE });
    });
    try {
      return read(await Promise.race([answer.promise, command.then(() => answer.promise)]), this.#family);
    } catch (error) {
      if (error instanceof GatewayError) throw error;
      if (isRefusal(error))
        throw new GatewayError('modem_rejected', `the modem refuses the USSD request: ${error.message}`);
      throw new GatewayError('modem_unavailable', 'the modem went away during the USSD request', { cause: error });
    } finally {
      for (const release of releases) release();
      this.#waiting = undefined;
    }
  }

  /** Ends the session in the network, or the next request would answer a menu that was never seen. */
  #cancel(closed: AbortSignal): void {
    this.#channel.command('poll', closed, 'AT+CUSD=2').catch(() => {});
  }
}

function packed(code: string): string {
  const septets = encodeSeptets(code);
  if (septets === undefined) throw new GatewayError('invalid_argument', 'the USSD code is not in the GSM alphabet');
  return toHex(packUssd(septets));
}

/** <m> of +CUSD. */
function read({ mode, text, dcs }: UssdCode, family: ModemFamily): string {
  if (mode === 4) throw new GatewayError('not_supported', 'the network does not know this USSD request');
  if (mode === 5) throw new GatewayError('timeout', 'the network did not answer the USSD request');
  if (mode === 2 && text === '') throw new GatewayError('modem_rejected', 'the network ended the USSD request');
  return ussdText(text, dcs, family);
}
