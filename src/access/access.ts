import { type Clock, systemClock } from '../base/clock.ts';
import type { JsonObject } from '../base/json.ts';
import { parseAddress } from './address.ts';
import { Memory } from './memory.ts';
import { TrustedProxies } from './request-origin.ts';
import { KnownClients } from './slots.ts';

/** What all doors share: who has been let in, which proxies are believed, and what is in use. */
export class Access {
  readonly known = new KnownClients();
  readonly memory: Memory;
  readonly #doors = new Map<string, () => JsonObject>();
  #proxies = new TrustedProxies([]);

  constructor(clock: Clock = systemClock) {
    this.memory = new Memory(clock);
    for (const share of ['answers', 'work', 'storing', 'input'] as const) {
      this.addDoor(share, () => this.memory[share].usage());
    }
  }

  /** Takes up the option `trusted_proxy`, whose entries have been checked. */
  configure({ trusted_proxy }: { readonly trusted_proxy: readonly string[] }): void {
    this.#proxies = new TrustedProxies(trusted_proxy);
  }

  /** Whether many clients come by this address. */
  readonly isProxy = (address: string): boolean => this.#proxies.has(address);

  /** The client's address: see `TrustedProxies.clientOf`. Empty when it is no address. */
  clientOf(peer: string, forwardedFor: string | undefined): string {
    return this.#proxies.clientOf(peer, forwardedFor) ?? '';
  }

  /** Whether the request came past a proxy that nobody has declared: its client may be anywhere. */
  isHidden(peer: string, viaProxy: boolean | undefined): boolean {
    const address = parseAddress(peer);
    return viaProxy === true && (address === undefined || !this.isProxy(address));
  }

  /** Shows what a door uses, until the result is called. */
  addDoor(name: string, usage: () => JsonObject): () => void {
    this.#doors.set(name, usage);
    return () => {
      if (this.#doors.get(name) === usage) this.#doors.delete(name);
    };
  }

  /** Of each open door what is in use, and what has been refused. */
  usage(): JsonObject {
    return Object.fromEntries([...this.#doors].map(([name, usage]) => [name, usage()]));
  }
}
