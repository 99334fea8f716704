import { GatewayError } from '../../base/errors.ts';

/** The point from which on a delivery is not repeated: stored before what must not happen twice. */
export class Commitment {
  readonly #store: () => Promise<void>;
  #storing: Promise<void> | undefined;
  #open = true;

  constructor(store: () => Promise<void>) {
    this.#store = store;
  }

  /** Resolves when it is durable. Throws GatewayError store_*, or wrong_state when the try is over. */
  async make(): Promise<void> {
    if (!this.#open) throw new GatewayError('wrong_state', 'the delivery was given up meanwhile');
    this.#storing ??= this.#store();
    await this.#storing;
  }

  /** Ends the try: it cannot be made any more. Resolves to whether it was. */
  async close(): Promise<boolean> {
    this.#open = false;
    if (this.#storing === undefined) return false;
    return this.#storing.then(
      () => true,
      () => false,
    );
  }
}
