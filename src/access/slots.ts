import { LruMap } from '../base/lru-map.ts';
import { AddressList, subscriberNetwork } from './address.ts';

/** Accounts, and networks of each, that are remembered; the ones that logged in longest ago are forgotten first. */
const MAX_ACCOUNTS = 64;
const MAX_NETWORKS = 64;

/** Where people and programs have logged in from since the gateway started. All doors share it. */
export class KnownClients {
  readonly #accounts = new LruMap<string, LruMap<string, true>>(MAX_ACCOUNTS);

  /** Somebody at the address has logged in to the account. */
  add(address: string, account: string): void {
    const networks = this.#accounts.get(account) ?? new LruMap<string, true>(MAX_NETWORKS);
    networks.set(subscriberNetwork(address), true);
    this.#accounts.set(account, networks);
  }

  /** Whether somebody there has logged in to the account, or to any. */
  has(address: string, account?: string): boolean {
    const network = subscriberNetwork(address);
    if (account !== undefined) return this.#accounts.get(account)?.has(network) === true;
    return [...this.#accounts.values()].some((networks) => networks.has(network));
  }
}

const loopback = new AddressList(['127.0.0.0/8', '::1']);

/** A connection, as far as its place is concerned. */
export interface SlotHolder {
  /** It asks for nothing at the moment: it makes room when others want to come in. */
  readonly silent: boolean;
  /** It has logged in. */
  readonly trusted: boolean;
  /** Ends the connection at once; its slot is free already. */
  close(): void;
}

export interface SlotRules {
  readonly total: number;
  /** Of one client address; of IPv6, of one /64. */
  readonly perAddress: number;
  /** Of the total, kept for this machine and for clients that have logged in, now or before. */
  readonly reserve: number;
  readonly known: KnownClients;
  /** Proxies, behind which there are many clients: no limit by address. */
  readonly isProxy?: (address: string) => boolean;
}

/** From the one that makes room first to the one that does so last. */
const standings = ['stranger', 'local', 'known'] as const;
type Standing = (typeof standings)[number];

interface Entry {
  readonly network: string;
  readonly local: boolean;
  readonly address: string;
  readonly holder: SlotHolder;
}

/**
 * The places of a door. When they are taken, a silent connection of the address that has the most of them makes room:
 * who opens connections and says nothing keeps nobody out, and whoever speaks is not disturbed.
 */
export class Slots {
  readonly #rules: SlotRules;
  /** In the order in which they came. */
  readonly #entries = new Set<Entry>();
  readonly #perNetwork = new Map<string, number>();
  #evicted = 0;
  #refused = 0;

  constructor(rules: SlotRules) {
    this.#rules = rules;
  }

  get used(): number {
    return this.#entries.size;
  }

  /** For `status`. */
  usage(): {
    readonly used: number;
    readonly limit: number;
    readonly silent: number;
    readonly evicted: number;
    readonly refused: number;
  } {
    const silent = [...this.#entries].filter(({ holder }) => holder.silent).length;
    return { used: this.used, limit: this.#rules.total, silent, evicted: this.#evicted, refused: this.#refused };
  }

  /** Takes a place, perhaps that of a silent connection. Gives the function that frees it; undefined when no place is free. */
  enter(address: string, holder: SlotHolder): (() => void) | undefined {
    const network = subscriberNetwork(address);
    const entry: Entry = { network, address, local: loopback.has(address), holder };
    if (!this.#hasRoom(entry)) {
      this.#refused += 1;
      return undefined;
    }
    this.#entries.add(entry);
    this.#perNetwork.set(network, (this.#perNetwork.get(network) ?? 0) + 1);
    return () => this.#leave(entry);
  }

  #hasRoom(entry: Entry): boolean {
    const { total, perAddress, reserve, isProxy } = this.#rules;
    const { network, address } = entry;
    const full = (this.#perNetwork.get(network) ?? 0) >= perAddress && isProxy?.(address) !== true;
    if (full && !this.#evict((other) => other.network === network)) return false;
    const own = this.#standing(entry);
    const strangers = [...this.#entries].filter((other) => this.#standing(other) === 'stranger').length;
    if (this.used < total && (own !== 'stranger' || strangers < total - reserve)) return true;
    // Nobody keeps out who stands above: not even a crowd on this machine somebody who has logged in.
    const below = standings.slice(0, standings.indexOf(own) + 1);
    return below.some((standing) => this.#evict((other) => this.#standing(other) === standing));
  }

  #standing({ address, local, holder }: Entry): Standing {
    if (holder.trusted || this.#rules.known.has(address)) return 'known';
    return local ? 'local' : 'stranger';
  }

  /** Ends a silent one of these connections: the oldest one of the network that has the most. */
  #evict(among: (entry: Entry) => boolean): boolean {
    let chosen: Entry | undefined;
    let most = 0;
    for (const entry of this.#entries) {
      const count = this.#perNetwork.get(entry.network) ?? 0;
      if (count <= most || !entry.holder.silent || !among(entry)) continue;
      chosen = entry;
      most = count;
    }
    if (chosen === undefined) return false;
    this.#leave(chosen);
    this.#evicted += 1;
    chosen.holder.close();
    return true;
  }

  #leave(entry: Entry): void {
    if (!this.#entries.delete(entry)) return;
    const left = (this.#perNetwork.get(entry.network) ?? 1) - 1;
    if (left > 0) this.#perNetwork.set(entry.network, left);
    else this.#perNetwork.delete(entry.network);
  }
}
