import type { Timers } from './timers.ts';

/** What the modem says to a TPDU: took it, has no room (RP-ERROR 22), or did not want it now. */
export type Reception = 'taken' | 'full' | 'refused';

export interface Mobile {
  /** Whether the network finds it. */
  isReachable(): boolean;
  receive(pdu: Uint8Array): Promise<Reception>;
}

/** Most TPDUs that wait for the modem. */
const MAX_WAITING = 10_000;

/** The service centre's waiting line to one modem, in order, one at a time. */
export class DeliveryQueue {
  readonly #mobile: Mobile;
  readonly #timers: Timers;
  readonly #retryAfter: number;
  readonly #pdus: Uint8Array[] = [];
  #running = false;
  /** Grows when the modem has room or is there again. */
  #wakes = 0;
  #cancelRetry: () => void = () => {};
  delivered = 0;

  /** `retryAfter` in ms: when a refused TPDU is tried again. */
  constructor(mobile: Mobile, timers: Timers, retryAfter: number) {
    this.#mobile = mobile;
    this.#timers = timers;
    this.#retryAfter = retryAfter;
  }

  get waiting(): number {
    return this.#pdus.length;
  }

  get full(): boolean {
    return this.waiting >= MAX_WAITING;
  }

  push(pdu: Uint8Array): void {
    if (this.full) return;
    this.#pdus.push(pdu);
    if (this.waiting === 1) this.wake();
  }

  /** The modem has room again (SMMA), or is reachable again: go on. */
  wake(): void {
    this.#wakes++;
    if (!this.#running && this.waiting > 0) void this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (;;) {
      const [pdu] = this.#pdus;
      const wakes = this.#wakes;
      if (pdu === undefined || !this.#mobile.isReachable()) break;
      const reception = await this.#mobile.receive(pdu);
      if (reception === 'taken') {
        this.#pdus.shift();
        this.delivered++;
      } else if (wakes === this.#wakes) {
        this.#cancelRetry();
        if (reception === 'refused') this.#cancelRetry = this.#timers.after(this.#retryAfter, () => this.wake());
        break;
      }
    }
    this.#running = false;
  }
}
