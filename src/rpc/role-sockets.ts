import { chown } from 'node:fs/promises';
import type { Clock } from '../base/clock.ts';
import { describeError, GatewayError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { Mutex } from '../base/mutex.ts';
import type { EventFeed } from './events.ts';
import type { Callable } from './json-rpc.ts';
import { limitedTo, noGroup, type Role } from './roles.ts';
import { UnixSocketServer } from './socket/server.ts';

/** The groups that the config gives a role. */
export interface RoleGroups {
  readonly read_group?: string;
  readonly send_group?: string;
}

export interface RoleSocketsOptions {
  /** Path of the socket for all, which the others lie beside. */
  readonly path: string;
  readonly namespace: Callable;
  readonly events: EventFeed;
  readonly clock: Clock;
  readonly log: Logger;
  /** Number of a group; undefined when no group has that name. */
  readonly groupId: (name: string) => Promise<number | undefined>;
}

interface Open {
  readonly group: string;
  readonly server: UnixSocketServer;
}

const MODE = 0o660;

/**
 * Unix sockets for accounts that may do less than everything: Node cannot ask who is at the other end of a socket, so each
 * role has one of its own, and the group of the file decides who gets in.
 */
export class RoleSockets {
  readonly #options: RoleSocketsOptions;
  readonly #open = new Map<Role, Open>();
  /** Why a socket is missing. */
  readonly #faults = new Map<Role, string>();
  readonly #changes = new Mutex();

  constructor(options: RoleSocketsOptions) {
    this.#options = options;
  }

  /**
   * Opens and closes by what the config says, and tries again what could not be opened. Never rejects: a socket that cannot
   * be opened is missing, log and `warnings` say so.
   */
  configure({ read_group, send_group }: RoleGroups): Promise<void> {
    return this.#changes.run(async () => {
      await this.#set('read', read_group);
      await this.#set('send', send_group);
    });
  }

  /** Which sockets are missing, and why, sentences. */
  warnings(): readonly string[] {
    return [...this.#faults.values()];
  }

  async stop(): Promise<void> {
    await this.configure({});
  }

  async #set(role: Role, group: string | undefined): Promise<void> {
    const open = this.#open.get(role);
    if (open?.group === group) return;
    this.#open.delete(role);
    await open?.server.stop();
    if (group === undefined) {
      this.#faults.delete(role);
      return;
    }
    const path = rolePath(this.#options.path, role);
    try {
      this.#open.set(role, { group, server: await this.#listen(role, group, path) });
      this.#faults.delete(role);
      this.#options.log.info(`group ${group} may ${role} on ${path}`);
    } catch (error) {
      const fault = describeError(error);
      if (this.#faults.get(role) !== fault) this.#options.log.error(`${fault}; the next reload tries again`);
      this.#faults.set(role, fault);
    }
  }

  async #listen(role: Role, group: string, path: string): Promise<UnixSocketServer> {
    const { namespace, groupId, ...services } = this.#options;
    const gid = await groupId(group);
    if (gid === undefined) throw new GatewayError('config_invalid', noGroup(role, group));
    const server = new UnixSocketServer({ ...services, path, mode: MODE, namespace: limitedTo(role, namespace) });
    await server.start();
    try {
      await chown(path, process.geteuid?.() ?? 0, gid);
      return server;
    } catch (error) {
      await server.stop();
      const why = 'an account other than root must belong to the group itself';
      const what = `gateway.${role}_group: cannot give ${path} to the group ${group}`;
      throw new GatewayError('access_denied', `${what}: ${why}`, { cause: error });
    }
  }
}

/** `/run/x.sock` → `/run/x-read.sock`. */
export const rolePath = (path: string, role: Role): string => path.replace(/(?:\.sock)?$/, `-${role}.sock`);
