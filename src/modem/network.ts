import { Wake } from '../base/wake.ts';
import { parameters } from './at/answer.ts';
import type { AtChannel } from './at/channel.ts';
import type { CommandLine } from './at/line.ts';
import { optional, query } from './at/line.ts';
import type { SessionContext } from './session-context.ts';
import type { ModemStatus } from './status.ts';
import { nameText } from './ussd-text.ts';

/** ms between looks for a network while the modem has no network. Most modems report one by themselves; not all do. */
const SEARCH_INTERVAL = 5_000;
/** A signal strength older than this is asked for again, ms. */
const SIGNAL_AGE = 60_000;
const RADIO_TIMEOUT = 15_000;

/** Watches network and signal, and by asking also whether the modem still answers. Sets the state of the session. */
export class Monitor {
  readonly #channel: AtChannel;
  readonly #watch: RegistrationWatch;
  readonly #context: SessionContext;
  /** Called when there was no network for the time that the option `network_timeout` allows. */
  readonly #noNetwork: () => void;
  /** Called when the modem has lost what was set up: it has restarted without a word. */
  readonly #forgotten: () => void;
  /** Whether messages can be read, without which nothing is ready. */
  readonly #readable: () => boolean;
  #suspicious = false;
  readonly #wake = new Wake();
  #signalAt = Number.NEGATIVE_INFINITY;
  #searchingSince = Number.POSITIVE_INFINITY;
  #operatorOf: Registration | undefined;

  constructor(
    channel: AtChannel,
    watch: RegistrationWatch,
    context: SessionContext,
    on: { readonly noNetwork: () => void; readonly forgotten: () => void; readonly readable: () => boolean },
  ) {
    this.#channel = channel;
    this.#watch = watch;
    this.#context = context;
    this.#noNetwork = on.noNetwork;
    this.#forgotten = on.forgotten;
    this.#readable = on.readable;
  }

  /** A +CREG, +CGREG or +CEREG code. */
  registrationChanged(domain: string, stat: number): void {
    this.#watch.changed(domain, stat);
    this.#operatorOf = undefined;
    this.#wake.call();
  }

  /** Something that the state depends on has changed. */
  look(): void {
    this.#wake.call();
  }

  /** Something looks like a start of the modem: whether it still is as it was set up is asked at once. */
  suspectRestart(): void {
    this.#suspicious = true;
    this.#wake.call();
  }

  /** A code with the signal strength, which then need not be asked for. */
  signalChanged(rssi: number): void {
    this.#signalAt = this.#now();
    this.#context.board.note({ signal: signalOf(rssi) });
  }

  /** Works until the signal aborts or the channel ends, and then rejects. */
  async run(signal: AbortSignal): Promise<never> {
    const { clock, config } = this.#context;
    await this.#poll(signal, (line) => this.#watch.refresh(line));
    for (;;) {
      if (this.#suspicious) await this.#poll(signal, (line) => this.#checkSettings(line));
      if (this.#watch.forgotten) this.#forgotten();
      const registered = this.#enterState();
      if (this.#searchedTooLong) await this.#restartRadio(signal);
      if (registered) await this.#poll(signal, (line) => this.#refreshOperator(line));
      if (this.#now() - this.#signalAt >= SIGNAL_AGE) await this.#poll(signal, (line) => this.#refreshSignal(line));
      const interval = registered ? config.watchdog * 1000 : SEARCH_INTERVAL;
      const woken = await this.#wake.wait(clock, interval, signal);
      const silent = this.#now() - this.#channel.lastHeard >= interval;
      if (!woken && (silent || !registered)) await this.#poll(signal, (line) => this.#watch.refresh(line));
    }
  }

  /** Whether there is a network. */
  #enterState(): boolean {
    const { board } = this.#context;
    const { registration } = this.#watch;
    board.note({ registration });
    if (registration === 'home' || registration === 'roaming') {
      this.#searchingSince = Number.POSITIVE_INFINITY;
      if (this.#readable()) board.enter('ready');
      return true;
    }
    board.note({ operator: undefined, technology: undefined });
    this.#operatorOf = undefined;
    if (registration === 'denied') board.enter('denied', 'the network refuses this SIM');
    else board.enter('registering', 'there is no network');
    this.#searchingSince = Math.min(this.#searchingSince, this.#now());
    return false;
  }

  get #searchedTooLong(): boolean {
    const limit = this.#context.config.network_timeout * 1000;
    return limit > 0 && this.#now() - this.#searchingSince >= limit;
  }

  /** Takes the radio off the air and on again (TS 27.007 8.2): nothing that uses the network is harmed now. */
  async #restartRadio(signal: AbortSignal): Promise<void> {
    this.#context.log.warning('no network for too long: the modem is set up again');
    await this.#poll(signal, async (line) => {
      await optional(line, 'AT+CFUN=4', { timeout: RADIO_TIMEOUT });
      await optional(line, 'AT+CFUN=1', { timeout: RADIO_TIMEOUT });
    });
    this.#noNetwork();
  }

  async #checkSettings(line: CommandLine): Promise<void> {
    this.#suspicious = false;
    await this.#watch.refresh(line);
    // Text mode is how modems start.
    const mode = await query(line, 'AT+CMGF?');
    if (mode !== undefined && parameters(mode)[0] === '1') this.#forgotten();
  }

  async #refreshOperator(line: CommandLine): Promise<void> {
    const { registration } = this.#watch;
    if (registration === this.#operatorOf) return;
    this.#operatorOf = registration;
    this.#context.board.note({ operator: undefined, technology: undefined, ...(await servingNetwork(line)) });
  }

  async #refreshSignal(line: CommandLine): Promise<void> {
    const answer = await query(line, 'AT+CSQ');
    if (answer !== undefined) this.signalChanged(Number(parameters(answer)[0]));
  }

  #poll(signal: AbortSignal, work: (line: CommandLine) => Promise<void>): Promise<void> {
    return this.#channel.transaction('poll', signal, work);
  }

  #now(): number {
    return this.#context.clock.monotonic();
  }
}

export type Registration = NonNullable<ModemStatus['registration']>;

/** Circuit-switched, GPRS and EPS: a modem on LTE may be registered in the last alone, and SMS work there as well. */
const domains = ['CREG', 'CGREG', 'CEREG'] as const;

/**
 * <stat> of TS 27.007 7.2; 6 and 7 are "for SMS only", 9 and 10 have CSFB not preferred. 0, 4, 8 and 11 (emergency calls
 * only) are no registration.
 */
const meanings: Readonly<Record<number, Registration>> = {
  1: 'home',
  6: 'home',
  9: 'home',
  5: 'roaming',
  7: 'roaming',
  10: 'roaming',
  2: 'searching',
  3: 'denied',
};
const bestFirst: readonly Registration[] = ['home', 'roaming', 'searching', 'denied'];

/** Where the modem is registered, by all domains that it knows. */
export class RegistrationWatch {
  readonly #stats = new Map<string, number>();
  #known: readonly string[] = [];
  /** Domains whose codes were seen to be switched on. */
  readonly #reporting = new Set<string>();
  #forgotten = false;

  /** Whether the modem has switched its codes off, which it does when it restarts. */
  get forgotten(): boolean {
    return this.#forgotten;
  }

  /** Asks for the codes that report changes. */
  async prepare(line: CommandLine): Promise<void> {
    const known: string[] = [];
    for (const domain of domains) {
      if ((await optional(line, `AT+${domain}=1`)) !== undefined) known.push(domain);
    }
    this.#known = known;
  }

  async refresh(line: CommandLine): Promise<void> {
    for (const domain of this.#known) {
      const answer = await query(line, `AT+${domain}?`);
      if (answer === undefined) continue;
      const { mode, stat } = readRegistration(answer);
      if (mode !== undefined && mode > 0) this.#reporting.add(domain);
      if (mode === 0 && this.#reporting.has(domain)) this.#forgotten = true;
      if (stat !== undefined) this.changed(domain, stat);
    }
  }

  /** A code reports a change. */
  changed(domain: string, stat: number): void {
    this.#stats.set(domain, stat);
  }

  /** `home` when the modem knows none of the domains: then only sending shows whether there is a network. */
  get registration(): Registration {
    if (this.#stats.size === 0) return this.#known.length === 0 ? 'home' : 'none';
    const found = new Set([...this.#stats.values()].map((stat) => meanings[stat]));
    return bestFirst.find((registration) => found.has(registration)) ?? 'none';
  }
}

/** A query's answer, `+CREG: <n>,<stat>[,...]`; modems that leave out <n> occur. */
export function readRegistration(answer: string): { readonly mode?: number; readonly stat?: number } {
  const [first, second] = parameters(answer);
  const number = (text: string | undefined) =>
    text !== undefined && /^\d{1,3}$/.test(text) ? Number(text) : undefined;
  // Behind <stat> comes the area, in quotes; a bare one has four hexadecimal digits.
  const mode = number(first);
  const stat = number(second);
  if (mode === undefined) return {};
  return stat === undefined ? { stat: mode } : { mode, stat };
}

/** Words for <AcT> (TS 27.007 7.3) from 0 on, as phones show them. */
const technologies = ['2G', '2G', '3G', '2G', '3G', '3G', '3G', '4G', '2G', 'NB-IoT', '4G', '5G', '5G', '5G'];

/** The network's name and its technology, `+COPS: 0,0,"Name",7`, as far as the modem says them. */
export async function servingNetwork(line: CommandLine): Promise<{ operator?: string; technology?: string }> {
  const answer = await query(line, 'AT+COPS?', { timeout: 30_000 });
  const [, , name = '', access = ''] = answer === undefined ? [] : parameters(answer);
  const technology = access === '' ? undefined : technologies[Number(access)];
  return {
    ...(name !== '' && { operator: nameText(name).slice(0, 50) }),
    ...(technology !== undefined && { technology }),
  };
}

/** dBm of an <rssi> of +CSQ (TS 27.007 8.5); undefined when unknown. */
export function signalOf(rssi: number): number | undefined {
  return rssi >= 0 && rssi <= 31 ? -113 + 2 * rssi : undefined;
}
