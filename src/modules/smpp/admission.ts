import { type AddressList, subscriberNetwork } from '../../access/address.ts';

export interface AdmissionRules {
  /** Connections in all, and from one client address (of IPv6, one /64). */
  readonly maxSessions: number;
  readonly maxPerAddress: number;
  /** Undefined for all. */
  readonly allowed: AddressList | undefined;
  isLocked(address: string): boolean;
}

/** Connections beyond all limits that are kept until their bind, to be told that it fails. */
export const MAX_UNWANTED = 16;

/** Counts connections, bound or not. */
export class Admission {
  readonly #rules: AdmissionRules;
  readonly #perNetwork = new Map<string, number>();
  #welcome = 0;
  #unwanted = 0;

  constructor(rules: AdmissionRules) {
    this.#rules = rules;
  }

  /**
   * Whether a new connection may bind; undefined when it is to be closed at once. For one that is not closed, `leave`
   * must follow.
   */
  enter(address: string): 'welcome' | 'unwanted' | undefined {
    const network = subscriberNetwork(address);
    const present = this.#perNetwork.get(network) ?? 0;
    if (this.#mayBind(address, present)) {
      this.#welcome += 1;
      this.#perNetwork.set(network, present + 1);
      return 'welcome';
    }
    if (this.#unwanted >= MAX_UNWANTED) return undefined;
    this.#unwanted += 1;
    return 'unwanted';
  }

  leave(address: string, as: 'welcome' | 'unwanted'): void {
    if (as === 'unwanted') {
      this.#unwanted -= 1;
      return;
    }
    this.#welcome -= 1;
    const network = subscriberNetwork(address);
    const left = (this.#perNetwork.get(network) ?? 1) - 1;
    if (left > 0) this.#perNetwork.set(network, left);
    else this.#perNetwork.delete(network);
  }

  #mayBind(address: string, present: number): boolean {
    const { maxSessions, maxPerAddress, allowed } = this.#rules;
    if (this.#welcome >= maxSessions || present >= maxPerAddress) return false;
    return allowed?.has(address) !== false && !this.#rules.isLocked(address);
  }
}
