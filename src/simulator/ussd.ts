import type { Faults } from './faults.ts';
import type { Latency } from './options.ts';
import type { Settings } from './settings.ts';
import { charsetText, encodeText } from './text-mode.ts';
import type { Timers } from './timers.ts';

interface Menu {
  readonly text: string;
  /** What each answer leads to; a menu without answers ends the session. */
  readonly answers?: Readonly<Record<string, string>>;
}

/** The operator's USSD services. Non-ASCII texts go out in UCS2. */
const services: Readonly<Record<string, Menu>> = {
  '*100#': { text: 'Your balance is 5.20 EUR, valid until 31.12.2030.' },
  '*111#': { text: 'Ваш баланс: 5,20 €' },
  '*123#': { text: '1 Balance\n2 Data left\n0 Quit', answers: { '1': '*100#', '2': 'data', '0': 'quit' } },
  data: { text: 'You have 1.5 GB left.' },
  quit: { text: 'Good bye.' },
};

function dialled(code: string): Menu | undefined {
  return code.startsWith('*') && Object.hasOwn(services, code) ? services[code] : undefined;
}

/** DCS of a USSD string: GSM 7-bit without a language, UCS2. TS 23.038 5. */
const GSM7 = 15;
const UCS2 = 72;

/** +CUSD <m>, TS 27.007 7.15. */
const NO_FURTHER_ACTION = 0;
const FURTHER_ACTION = 1;
const NOT_SUPPORTED = 4;

/** What a USSD service needs of its modem. */
export interface UssdModem {
  readonly settings: Settings;
  readonly latency: Latency;
  readonly timers: Timers;
  readonly faults: Faults;
  /** Sends an unsolicited result code. */
  report(code: string): void;
}

/** A USSD session between the modem and the network. */
export class UssdService {
  readonly #modem: UssdModem;
  #menu: Menu | undefined;

  constructor(modem: UssdModem) {
    this.#modem = modem;
  }

  /** Text typed by the host, in the TE character set; the network answers by +CUSD. */
  request(octets: string): void {
    const request = charsetText(this.#modem.settings.charset, octets);
    const menu = this.#menu?.answers === undefined ? dialled(request) : services[this.#menu.answers[request] ?? ''];
    this.#menu = menu?.answers === undefined ? undefined : menu;
    this.#modem.timers.after(this.#modem.latency.submit, () => this.#answer(menu));
  }

  /** The session is over. */
  reset(): void {
    this.#menu = undefined;
  }

  #answer(menu: Menu | undefined): void {
    if (this.#modem.settings.ussdReports !== 1) return;
    const odd = this.#modem.faults.take('ussd_answer');
    if (odd !== undefined) this.#modem.report(`+CUSD: ${odd.parameters}`);
    else this.#modem.report(menu === undefined ? `+CUSD: ${NOT_SUPPORTED}` : this.#code(menu));
  }

  #code(menu: Menu): string {
    const more = menu.answers === undefined ? NO_FURTHER_ACTION : FURTHER_ACTION;
    const plain = /^[\n -~]*$/.test(menu.text);
    // TS 27.007 7.15: a UCS2 string is given as hexadecimal, whatever +CSCS says.
    const text = plain ? encodeText(this.#modem.settings.charset, menu.text) : encodeText('UCS2', menu.text);
    return `+CUSD: ${more},"${text}",${plain ? GSM7 : UCS2}`;
  }
}
