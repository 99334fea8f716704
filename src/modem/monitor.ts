import type { AtChannel, CommandLine } from './at/channel.ts';
import { parameters } from './at/parameters.ts';
import type { LifeContext } from './life-context.ts';
import { optional } from './optional.ts';
import { operatorName, type Registration, type RegistrationWatch, signalOf } from './registration.ts';
import { Wake } from './wake.ts';

/** ms between looks for a network while there is none. Modems tell of it by themselves; not all do. */
const SEARCH_INTERVAL = 5_000;
/** A signal strength older than this is asked for anew, ms. */
const SIGNAL_AGE = 60_000;
const RADIO_TIMEOUT = 15_000;

/** Watches network and signal, and by asking also whether the modem still answers. Sets the state of the session. */
export class Monitor {
  readonly #channel: AtChannel;
  readonly #watch: RegistrationWatch;
  readonly #context: LifeContext;
  /** Called when there was no network for the time that the option `network_timeout` allows. */
  readonly #noNetwork: () => void;
  /** Called when the modem has lost what was set up: it has started anew without a word. */
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
    context: LifeContext,
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
      const told = await this.#wake.wait(clock, interval, signal);
      const silent = this.#now() - this.#channel.lastHeard >= interval;
      if (!told && (silent || !registered)) await this.#poll(signal, (line) => this.#watch.refresh(line));
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
    board.note({ operator: undefined });
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
    this.#context.log.warning('no network for too long: the modem is initialised anew');
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
    const mode = (await optional(line, 'AT+CMGF?'))?.find((text) => text.startsWith('+CMGF:'));
    if (mode !== undefined && parameters(mode)[0] === '1') this.#forgotten();
  }

  async #refreshOperator(line: CommandLine): Promise<void> {
    const { registration } = this.#watch;
    if (registration === this.#operatorOf) return;
    this.#operatorOf = registration;
    this.#context.board.note({ operator: await operatorName(line) });
  }

  async #refreshSignal(line: CommandLine): Promise<void> {
    const answer = (await optional(line, 'AT+CSQ'))?.find((text) => text.startsWith('+CSQ:'));
    if (answer !== undefined) this.signalChanged(Number(parameters(answer)[0]));
  }

  #poll(signal: AbortSignal, work: (line: CommandLine) => Promise<void>): Promise<void> {
    return this.#channel.transaction('poll', signal, work);
  }

  #now(): number {
    return this.#context.clock.monotonic();
  }
}
