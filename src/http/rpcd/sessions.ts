import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { Clock } from '../../base/clock.ts';
import type { Json } from '../../base/json.ts';
import type { Rights } from './acl.ts';
import { StagedChanges } from './staged-changes.ts';

/** Who calls with this id has not logged in. */
export const NO_SESSION = '00000000000000000000000000000000';

const MAX_SESSIONS = 64;
/** Values that a session keeps for its holder. */
const MAX_DATA = 32;

/** Somebody who has logged in. */
export class Session {
  /** 128 random bits in hexadecimal: who has it is the holder of the session. */
  readonly id = randomBytes(16).toString('hex');
  readonly username: string;
  readonly rights: Rights;
  /** Seconds without a call after which it ends. */
  readonly timeout: number;
  readonly changes = new StagedChanges();
  readonly #data = new Map<string, Json>();
  readonly #end = new AbortController();

  constructor(username: string, rights: Rights, timeout: number) {
    this.username = username;
    this.rights = rights;
    this.timeout = timeout;
    // Each connection of the session listens.
    setMaxListeners(0, this.#end.signal);
  }

  /** Aborts when the session ends. */
  get ended(): AbortSignal {
    return this.#end.signal;
  }

  get data(): ReadonlyMap<string, Json> {
    return this.#data;
  }

  /** Whether there was room for it. */
  set(name: string, value: Json): boolean {
    if (!this.#data.has(name) && this.#data.size === MAX_DATA) return false;
    this.#data.set(name, value);
    return true;
  }

  unset(name: string): void {
    this.#data.delete(name);
  }

  end(): void {
    this.#end.abort();
  }
}

/** The sessions of the web server, in memory: a restart of the daemon ends them. */
export class Sessions {
  readonly #clock: Clock;
  /** In the order of their last use. */
  readonly #sessions = new Map<string, { readonly session: Session; until: number }>();
  #cancelSweep: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Begins a session. When there are too many, the one unused longest makes room. */
  create(username: string, rights: Rights, timeout: number): Session {
    const session = new Session(username, rights, timeout);
    for (const id of this.#sessions.keys()) {
      if (this.#sessions.size < MAX_SESSIONS) break;
      this.destroy(id);
    }
    this.#keep(session);
    this.#sweepLater();
    return session;
  }

  /** The session of that id, which counts as used now; undefined when it is unknown or ended. */
  find(id: string): Session | undefined {
    const found = this.#sessions.get(id);
    if (found === undefined) return undefined;
    if (found.until <= this.#clock.monotonic()) {
      this.destroy(id);
      return undefined;
    }
    this.#keep(found.session);
    return found.session;
  }

  /** Seconds until it ends unless it is used. */
  expires({ id }: Session): number {
    const until = this.#sessions.get(id)?.until ?? 0;
    return Math.max(0, Math.ceil((until - this.#clock.monotonic()) / 1000));
  }

  destroy(id: string): void {
    const found = this.#sessions.get(id);
    this.#sessions.delete(id);
    found?.session.end();
  }

  /** Ends all sessions of an account, as after a change of its password. */
  destroyOf(username: string): void {
    for (const [id, { session }] of this.#sessions) if (session.username === username) this.destroy(id);
  }

  stop(): void {
    this.#cancelSweep?.();
    this.#cancelSweep = undefined;
    for (const id of this.#sessions.keys()) this.destroy(id);
  }

  #keep(session: Session): void {
    this.#sessions.delete(session.id);
    this.#sessions.set(session.id, { session, until: this.#clock.monotonic() + session.timeout * 1000 });
  }

  /** Nobody asks for a session that was left behind, and what listens to it must end. */
  #sweepLater(): void {
    if (this.#cancelSweep !== undefined || this.#sessions.size === 0) return;
    const next = Math.min(...[...this.#sessions.values()].map(({ until }) => until));
    this.#cancelSweep = this.#clock.after(Math.max(1000, next - this.#clock.monotonic()), () => {
      this.#cancelSweep = undefined;
      const now = this.#clock.monotonic();
      for (const [id, { until }] of this.#sessions) if (until <= now) this.destroy(id);
      this.#sweepLater();
    });
  }
}
