import type { Clock } from '../base/clock.ts';

/** Where a modem session stands. Only `ready` sends and receives. */
export const modemStates = [
  'opening',
  'probing',
  'no_sim',
  'pin_required',
  'pin_wrong',
  'puk_required',
  /** The SIM or the modem is busy: it is being set up, step by step. */
  'setting_up',
  'registering',
  'denied',
  'ready',
  'hung',
  'stopped',
] as const;

export type ModemState = (typeof modemStates)[number];

export interface ModemStatus {
  readonly name: string;
  readonly state: ModemState;
  /** When it came to this state, ms since the epoch. */
  readonly since: number;
  readonly device: string;
  readonly manufacturer?: string;
  readonly model?: string;
  readonly revision?: string;
  readonly imei?: string;
  readonly imsi?: string;
  readonly iccid?: string;
  readonly number?: string;
  readonly operator?: string;
  /** `2G`, `3G`, `4G`, `5G` or `NB-IoT`. */
  readonly technology?: string;
  readonly registration?: 'home' | 'roaming' | 'searching' | 'denied' | 'none';
  /** Received signal in dBm; absent when unknown. */
  readonly signal?: number;
  /** Message storage of the SIM or modem. */
  readonly storage?: { readonly name: string; readonly used: number; readonly total: number };
  readonly sent: number;
  readonly received: number;
  readonly errors: number;
  /** Times the port was opened since the session began, minus one. */
  readonly reopened: number;
  /** What is wrong now, a sentence. */
  readonly error?: string;
  /** The next step to bring back a modem that hangs or has no SIM, and seconds until then. */
  readonly recovery?: { readonly step: string; readonly in: number };
  /** What an operator should look at although the modem works, sentences. */
  readonly warning?: string;
}

export interface ModemEvents {
  'modem.state': ModemStatus;
  /** Signal, operator, technology or registration are others. Only inside the gateway: they change all day. */
  'modem.facts': ModemStatus;
  /** Once per call, with the caller's number where the network shows it. */
  'call.incoming': { readonly modem: string; readonly number?: string };
  /** The network sends a USSD text of its own accord. */
  'ussd.received': { readonly modem: string; readonly text: string };
}

type Counter = 'sent' | 'received' | 'errors' | 'reopened';
/** What a session learns of its modem; undefined when it is no longer known. */
type Facts = {
  -readonly [K in keyof Omit<ModemStatus, 'name' | 'state' | 'since' | 'error' | 'warning' | 'recovery' | Counter>]?:
    | ModemStatus[K]
    | undefined;
};

export interface StatusBoardOptions {
  readonly name: string;
  readonly device: string;
  readonly clock: Clock;
  /** The next step to bring back a modem that does not work. */
  readonly recovery: () => ModemStatus['recovery'];
  /** Called on every change of the state, its error and the warnings. */
  readonly changed: () => void;
  /** Called when a fact of `watched` is another one. */
  readonly noted: () => void;
}

/** What people look at, and what changes while the state stays. */
const watched = ['signal', 'operator', 'technology', 'registration', 'number'] as const;

/** The status of a session, as RPC and the pages show it. */
export class StatusBoard {
  readonly #name: string;
  readonly #device: string;
  readonly #clock: Clock;
  readonly #recovery: () => ModemStatus['recovery'];
  readonly #changed: () => void;
  readonly #noted: () => void;
  readonly #facts: Facts = {};
  /** Sentences by their subject. */
  readonly #warnings = new Map<string, string>();
  readonly #counters: Record<Counter, number> = { sent: 0, received: 0, errors: 0, reopened: 0 };
  #state: ModemState = 'stopped';
  #since: number;
  #error: string | undefined;

  constructor({ name, device, clock, recovery, changed, noted }: StatusBoardOptions) {
    this.#name = name;
    this.#device = device;
    this.#clock = clock;
    this.#recovery = recovery;
    this.#changed = changed;
    this.#noted = noted;
    this.#since = clock.now();
  }

  get state(): ModemState {
    return this.#state;
  }

  /** `error` says in a sentence what is wrong; it replaces the one before. */
  enter(state: ModemState, error?: string): void {
    if (state === this.#state && error === this.#error) return;
    if (state !== this.#state) this.#since = this.#clock.now();
    this.#state = state;
    this.#error = error;
    this.#changed();
  }

  note(facts: Facts): void {
    const isNews = watched.some((name) => Object.hasOwn(facts, name) && facts[name] !== this.#facts[name]);
    Object.assign(this.#facts, facts);
    if (isNews) this.#noted();
  }

  /** Sets what an operator should look at; undefined clears it. */
  warn(subject: string, text: string | undefined): void {
    if (this.#warnings.get(subject) === text) return;
    if (text === undefined) this.#warnings.delete(subject);
    else this.#warnings.set(subject, text);
    this.#changed();
  }

  count(counter: Counter): void {
    this.#counters[counter]++;
  }

  /** One fact of the status. */
  fact(name: 'imsi' | 'number'): string | undefined {
    return this.#facts[name];
  }

  snapshot(): ModemStatus {
    const known = Object.fromEntries(Object.entries(this.#facts).filter(([, value]) => value !== undefined));
    const recovery = this.#recovery();
    return {
      name: this.#name,
      state: this.#state,
      since: this.#since,
      device: this.#device,
      ...known,
      ...this.#counters,
      ...(recovery && { recovery }),
      ...(this.#error === undefined ? {} : { error: this.#error }),
      ...(this.#warnings.size === 0 ? {} : { warning: [...this.#warnings.values()].join('; ') }),
    };
  }
}
