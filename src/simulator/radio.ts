import type { Deviations } from './options.ts';
import type { SimCard } from './sim-card.ts';
import type { Timers } from './timers.ts';

export type RegistrationState = 'none' | 'home' | 'searching' | 'denied' | 'unknown' | 'roaming';

/** +CREG <stat>, TS 27.007 7.2. */
export const registrationCodes: Readonly<Record<RegistrationState, number>> = {
  none: 0,
  home: 1,
  searching: 2,
  denied: 3,
  unknown: 4,
  roaming: 5,
};

/** The modem's hold on the network. */
export class Radio {
  readonly #sim: SimCard;
  readonly #timers: Timers;
  readonly #delay: number;
  readonly #changed: () => void;
  #functionality = 0;
  #camped = false;
  #network: RegistrationState = 'home';
  #last: RegistrationState = 'none';
  #cancel: () => void = () => {};
  /** As +CSQ gives it: 0 to 31, 99 for unknown. */
  signal = 21;

  /** `delay` in ms is what registration takes; `changed` is called when the state is another one. */
  constructor(sim: SimCard, timers: Timers, delay: number, changed: () => void) {
    this.#sim = sim;
    this.#timers = timers;
    this.#delay = delay;
    this.#changed = changed;
  }

  /** +CFUN: 0 off, 1 full, 4 flight mode. */
  get functionality(): number {
    return this.#functionality;
  }

  get state(): RegistrationState {
    if (this.#functionality !== 1 || this.#sim.state !== 'READY') return 'none';
    return this.#camped ? this.#network : 'searching';
  }

  get registered(): boolean {
    return this.state === 'home' || this.state === 'roaming';
  }

  setFunctionality(level: number): void {
    if (level === this.#functionality) return;
    this.#functionality = level;
    this.search();
  }

  /** What the network makes of this subscriber. */
  setNetwork(state: RegistrationState): void {
    this.#network = state;
    this.#report();
  }

  /** Looks for the network again: after power-on, +CFUN, or the PIN. */
  search(): void {
    this.#cancel();
    this.#camped = false;
    const able = this.#functionality === 1 && this.#sim.state === 'READY';
    if (this.#delay === 0) this.#camped = able;
    else if (able) this.#cancel = this.#timers.after(this.#delay, () => this.#found());
    this.#report();
  }

  #found(): void {
    this.#camped = true;
    this.#report();
  }

  #report(): void {
    if (this.state === this.#last) return;
    this.#last = this.state;
    this.#changed();
  }
}

/** Location area, cell, and E-UTRAN as the access technology. */
const CELL = ['01A2', '00B3C1', '7'] as const;

/** What follows the reporting mode: the state, and in mode 2 the cell. */
export function registrationText(
  { radio, deviations }: { readonly radio: Radio; readonly deviations: Deviations },
  mode: number,
): string {
  const state = String(registrationCodes[radio.state]);
  if (mode < 2 || !radio.registered) return state;
  const [area, cell, technology] = CELL;
  if (deviations.unquotedCells) return `${state}, ${area}, ${cell}`;
  return `${state},"${area}","${cell}",${technology}`;
}
