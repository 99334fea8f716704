import type { Duplex } from 'node:stream';
import { SimulatedModem, type SimulatorOptions } from '../../src/simulator/index.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** A host on the line of a simulated modem, with time in its hands. */
export class Host {
  readonly clock = new ManualClock();
  readonly modem: SimulatedModem;
  #stream: Duplex;
  #heard = '';
  closed = false;

  constructor(options: SimulatorOptions = {}) {
    this.modem = new SimulatedModem({ clock: this.clock, ...options });
    this.#stream = this.#plug();
  }

  /** Takes the line again, as after a re-plug or a restart of the host. */
  replug(): void {
    this.#stream = this.#plug();
  }

  /** What the modem says to these octets (and before them, by itself), CR as `\r`, one character an octet. */
  async ask(octets: string): Promise<string> {
    this.#stream.write(Buffer.from(octets, 'latin1'));
    return this.hear();
  }

  /** What the modem says within `ms`. */
  async hear(ms = 0): Promise<string> {
    await this.clock.advance(ms);
    const heard = this.#heard;
    this.#heard = '';
    return heard;
  }

  /** The answers to command lines, without echo: settings that a test takes for granted. Throws unless all are OK. */
  async setUp(...lines: readonly string[]): Promise<this> {
    for (const line of ['ATE0', ...lines]) {
      const answer = await this.ask(`${line}\r`);
      if (!answer.endsWith('\r\nOK\r\n')) throw new Error(`${line} answered ${JSON.stringify(answer)}`);
    }
    return this;
  }

  #plug(): Duplex {
    const stream = this.modem.connect();
    this.closed = false;
    stream.on('data', (chunk: Buffer) => {
      this.#heard += chunk.toString('latin1');
    });
    stream.on('close', () => {
      this.closed = true;
    });
    return stream;
  }
}

/** A one-line information text and OK, as the modem frames them with ATV1. */
export const info = (line: string): string => `\r\n${line}\r\n\r\nOK\r\n`;
export const OK = '\r\nOK\r\n';
export const ERROR = '\r\nERROR\r\n';
export const cms = (cause: number): string => `\r\n+CMS ERROR: ${cause}\r\n`;
export const cme = (cause: number): string => `\r\n+CME ERROR: ${cause}\r\n`;
export const code = (text: string): string => `\r\n${text}\r\n`;
/** The AT+CMGS dialogue for one PDU, hexadecimal with its SMSC field. */
export const cmgs = (pdu: string): readonly [string, string] => {
  const smsc = Number.parseInt(pdu.slice(0, 2), 16);
  return [`AT+CMGS=${pdu.length / 2 - 1 - smsc}\r`, `${pdu}\x1a`];
};
