import { MessageMemory } from './message-memory.ts';

const PIN_TRIES = 3;
const PUK_TRIES = 10;
const PIN = /^[0-9]{4,8}$/;

export type SimState = 'READY' | 'SIM PIN' | 'SIM PUK' | 'absent' | 'blocked';

export interface SimOptions {
  readonly present: boolean;
  readonly pin: string | undefined;
  readonly puk: string;
  readonly imsi: string;
  readonly iccid: string;
  readonly number: string;
  readonly smsc: string;
  readonly memory: number;
  readonly indexBase: number;
}

/** The card: it remembers what a reboot of the modem forgets. TS 31.101 for PIN and PUK. */
export class SimCard {
  readonly imsi: string;
  readonly iccid: string;
  readonly number: string;
  readonly messages: MessageMemory;
  /** EF_SMSP: the service centre's number. */
  smsc: string;
  /** EF_SMSS: the TP-MR used last. */
  lastReference = 255;
  readonly #present: boolean;
  readonly #puk: string;
  #pin: string;
  #pinEnabled: boolean;
  #verified = false;
  #pinTries = PIN_TRIES;
  #pukTries = PUK_TRIES;

  constructor(options: SimOptions) {
    this.imsi = options.imsi;
    this.iccid = options.iccid;
    this.number = options.number;
    this.smsc = options.smsc;
    this.messages = new MessageMemory(options.memory, options.indexBase);
    this.#present = options.present;
    this.#puk = options.puk;
    this.#pin = options.pin ?? '0000';
    this.#pinEnabled = options.pin !== undefined;
  }

  get state(): SimState {
    if (!this.#present) return 'absent';
    if (this.#pukTries === 0) return 'blocked';
    if (this.#pinTries === 0) return 'SIM PUK';
    return this.#pinEnabled && !this.#verified ? 'SIM PIN' : 'READY';
  }

  get pinEnabled(): boolean {
    return this.#pinEnabled;
  }

  get tries(): { readonly pin: number; readonly puk: number } {
    return { pin: this.#pinTries, puk: this.#pukTries };
  }

  /** The PIN has to be given again. */
  powerCycle(): void {
    this.#verified = false;
  }

  /** False for a wrong PIN, which costs one of three tries. */
  verify(pin: string): boolean {
    if (this.#pinTries === 0) return false;
    if (pin !== this.#pin) {
      this.#pinTries--;
      // The third wrong PIN blocks a card that was open before, too.
      if (this.#pinTries === 0) this.#verified = false;
      return false;
    }
    this.#pinTries = PIN_TRIES;
    this.#verified = true;
    return true;
  }

  /** False for a wrong PUK, which costs one of ten tries, or an impossible new PIN. */
  unblock(puk: string, newPin: string): boolean {
    if (this.#pukTries === 0 || !PIN.test(newPin)) return false;
    if (puk !== this.#puk) {
      this.#pukTries--;
      return false;
    }
    this.#pukTries = PUK_TRIES;
    this.#pinTries = PIN_TRIES;
    this.#pin = newPin;
    this.#verified = true;
    return true;
  }

  /** +CLCK "SC": whether the card asks for the PIN. False for a wrong PIN. */
  lock(enabled: boolean, pin: string): boolean {
    if (!this.verify(pin)) return false;
    this.#pinEnabled = enabled;
    return true;
  }

  /** +CPWD "SC". False for a wrong or impossible PIN. */
  changePin(old: string, next: string): boolean {
    if (!this.#pinEnabled || !PIN.test(next) || !this.verify(old)) return false;
    this.#pin = next;
    return true;
  }
}
