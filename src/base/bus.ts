import { describeError } from './errors.ts';
import type { Logger } from './log.ts';

type Callback<P> = (payload: P) => void | Promise<void>;

/** Where events can be heard. `Events` maps each event's name to its payload. */
export interface EventSource<Events> {
  /** Calls back on every `event` until `off(owner)`. */
  on<E extends keyof Events>(event: E, owner: object, callback: Callback<Events[E]>): void;
  /** Removes everything that `owner` listens to. */
  off(owner: object): void;
}

/** Where events are reported. */
export interface EventSink<Events> {
  emit<E extends keyof Events>(event: E, payload: Events[E]): void;
}

/** The typed event bus. A listener that throws or rejects is logged and touches nobody else. */
export class Bus<Events> implements EventSource<Events>, EventSink<Events> {
  readonly #listeners = new Map<keyof Events, Map<object, Callback<never>[]>>();
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Calls back on every `event` until `off(owner)`. */
  on<E extends keyof Events>(event: E, owner: object, callback: Callback<Events[E]>): void {
    const owners = this.#listeners.get(event) ?? new Map<object, Callback<never>[]>();
    this.#listeners.set(event, owners);
    owners.set(owner, [...(owners.get(owner) ?? []), callback]);
  }

  /** Removes everything that `owner` listens to. */
  off(owner: object): void {
    for (const owners of this.#listeners.values()) owners.delete(owner);
  }

  emit<E extends keyof Events>(event: E, payload: Events[E]): void {
    for (const callbacks of [...(this.#listeners.get(event)?.values() ?? [])]) {
      for (const callback of callbacks as Callback<Events[E]>[]) void this.#call(event, callback, payload);
    }
  }

  async #call<P>(event: keyof Events, callback: Callback<P>, payload: P): Promise<void> {
    try {
      await callback(payload);
    } catch (error) {
      this.#log.error(`a listener of ${String(event)} failed: ${describeError(error)}`);
    }
  }
}
