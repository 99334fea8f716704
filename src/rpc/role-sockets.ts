import { chown } from 'node:fs/promises';
import type { Clock } from '../base/clock.ts';
import { describeError, GatewayError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { EventFeed } from './events.ts';
import type { Callable } from './json-rpc.ts';
import { limitedTo, type Role } from './roles.ts';
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

  constructor(options: RoleSocketsOptions) {
    this.#options = options;
  }

  /** Opens and closes by what the config says. Never rejects: a socket that cannot be opened is missing, and the log says so. */
  async configure({ read_group, send_group }: RoleGroups): Promise<void> {
    await this.#set('read', read_group);
    await this.#set('send', send_group);
  }

  async stop(): Promise<void> {
    await this.configure({});
  }

  async #set(role: Role, group: string | undefined): Promise<void> {
    const open = this.#open.get(role);
    if (open?.group === group) return;
    this.#open.delete(role);
    await open?.server.stop();
    if (group === undefined) return;
    const path = rolePath(this.#options.path, role);
    try {
      this.#open.set(role, { group, server: await this.#listen(role, group, path) });
      this.#options.log.info(`group ${group} may ${role} on ${path}`);
    } catch (error) {
      this.#options.log.error(
        `no socket for the group ${group}: ${describeError(error)}; the next change of section gateway tries again`,
      );
    }
  }

  async #listen(role: Role, group: string, path: string): Promise<UnixSocketServer> {
    const { namespace, groupId, ...services } = this.#options;
    const gid = await groupId(group);
    if (gid === undefined) throw new GatewayError('config_invalid', `there is no group ${group} on this system`);
    const server = new UnixSocketServer({ ...services, path, mode: MODE, namespace: limitedTo(role, namespace) });
    await server.start();
    try {
      await chown(path, process.geteuid?.() ?? 0, gid);
      return server;
    } catch (error) {
      await server.stop();
      const why = 'an account other than root must belong to the group itself';
      throw new GatewayError('access_denied', `cannot give ${path} to the group: ${why}`, { cause: error });
    }
  }
}

/** `/run/x.sock` → `/run/x-read.sock`. */
export const rolePath = (path: string, role: Role): string => path.replace(/(?:\.sock)?$/, `-${role}.sock`);
