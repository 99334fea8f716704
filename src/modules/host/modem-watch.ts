import { budgets, limitsOf } from '../../access/budgets.ts';
import type { EventSource } from '../../base/bus.ts';
import type { Clock } from '../../base/clock.ts';
import { HourlyCount } from '../kit/hourly-count.ts';
import type { ModemEvent } from './contract.ts';

/** What they are made of. */
export interface ModemEventSource {
  'modem.state': { readonly name: string; readonly state: string; readonly error?: string };
  'call.incoming': { readonly modem: string; readonly number?: string };
}

/** Steps of a modem on its way, and a network that may be back soon: they count when they last this long, ms. */
const passing: ReadonlySet<string> = new Set(['opening', 'probing', 'setting_up', 'registering', 'hung', 'stopped']);
const LASTING_MS = 30_000;
/** So long a state of a modem that comes and goes must last, ms: each event costs flash. */
const RESTLESS_MS = 600_000;
const { states: RESTLESS, calls: MAX_CALLS } = limitsOf(budgets.events);

interface Modem {
  /** The last state that was given on. */
  given: string | undefined;
  state: string | undefined;
  error: string | undefined;
  cancel: () => void;
}

/** Makes events of what modems do: a state once it has lasted, and only when it differs from the last one; each call. */
export class ModemWatch {
  readonly #bus: EventSource<ModemEventSource>;
  readonly #clock: Clock;
  readonly #give: (event: ModemEvent) => void;
  readonly #modems = new Map<string, Modem>();
  readonly #recent: HourlyCount;
  /** Until the start. Few: a modem makes a bounded number an hour. */
  #early: ModemEvent[] | undefined = [];

  /** Listens from now on: modems are ready before the modules are. */
  constructor(bus: EventSource<ModemEventSource>, clock: Clock, give: (event: ModemEvent) => void) {
    this.#bus = bus;
    this.#clock = clock;
    this.#give = give;
    this.#recent = new HourlyCount(clock);
    bus.on('modem.state', this, (status) => this.#state(status));
    bus.on('call.incoming', this, (call) => this.#call(call));
  }

  /** Gives what came before, and from now on what comes. */
  start(): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const event of early) this.#give(event);
  }

  stop(): void {
    this.#bus.off(this);
    for (const modem of this.#modems.values()) modem.cancel();
  }

  #state({ name, state, error }: ModemEventSource['modem.state']): void {
    const modem = this.#modems.get(name) ?? { given: undefined, state: undefined, error, cancel: () => {} };
    this.#modems.set(name, modem);
    modem.error = error;
    if (state === modem.state) return;
    modem.state = state;
    modem.cancel();
    if (state === modem.given) return;
    const since = this.#clock.now();
    const wait = this.#recent.of(`state ${name}`) >= RESTLESS ? RESTLESS_MS : passing.has(state) ? LASTING_MS : 0;
    const give = () => {
      modem.given = state;
      this.#recent.add(`state ${name}`);
      const why = modem.error === undefined ? {} : { error: modem.error };
      this.#take({ event: 'modem.state', modem: name, state, ...why, time: since });
    };
    if (wait === 0) give();
    else modem.cancel = this.#clock.after(wait, give);
  }

  #call({ modem, number }: ModemEventSource['call.incoming']): void {
    const key = `call ${modem}`;
    if (this.#recent.of(key) >= MAX_CALLS) return;
    this.#recent.add(key);
    const caller = number === undefined ? {} : { number };
    this.#take({ event: 'call.incoming', modem, ...caller, time: this.#clock.now() });
  }

  #take(event: ModemEvent): void {
    if (this.#early === undefined) this.#give(event);
    else this.#early.push(event);
  }
}
