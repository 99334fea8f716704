import type { MessageId } from '../message.ts';

/** Things in the order of their message ids, in one flat array: eight octets each, and any id found by bisection. */
export class Ordered<T extends { readonly id: MessageId }> {
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  get first(): T | undefined {
    return this.#items[0];
  }

  get(id: MessageId): T | undefined {
    const item = this.#items[this.#position(id)];
    return item?.id === id ? item : undefined;
  }

  /** The first one with this id or a higher one. Walking with it bears any change on the way. */
  from(id: number): T | undefined {
    return this.#items[this.#position(id)];
  }

  /** The last one with a lower id. */
  before(id: number): T | undefined {
    return this.#items[this.#position(id) - 1];
  }

  /** Adds the item, or takes the place of the one with its id. */
  add(item: T): void {
    const at = this.#position(item.id);
    this.#items.splice(at, this.#items[at]?.id === item.id ? 1 : 0, item);
  }

  delete(id: MessageId): boolean {
    const at = this.#position(id);
    if (this.#items[at]?.id !== id) return false;
    if (at === 0) this.#items.shift();
    else this.#items.splice(at, 1);
    return true;
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#items[Symbol.iterator]();
  }

  /** Where `id` stands or would stand. New ids are the highest, so the end is tried first. */
  #position(id: number): number {
    let [low, high] = [0, this.#items.length];
    if ((this.#items[high - 1]?.id ?? 0) < id) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#items[middle]?.id ?? 0) < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
