import type { Clock } from '../../clock.ts';
import type { Logger } from '../../log.ts';
import type { EventFeed } from '../event-feed.ts';
import type { Namespace } from '../namespace.ts';

export interface UnixSocketOptions {
  readonly path: string;
  /** Permissions of the socket file, such as 0o660. */
  readonly mode: number;
  readonly namespace: Namespace;
  readonly events: EventFeed;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The namespace on a unix socket. */
export class UnixSocketServer {
  readonly #options: UnixSocketOptions;

  constructor(options: UnixSocketOptions) {
    this.#options = options;
  }

  /** Resolves when it accepts connections. Throws GatewayError connection_failed when another process answers there. */
  async start(): Promise<void> {
    this.#options.log.debug('not yet');
  }

  /** Ends every call and connection; resolves when all have. */
  async stop(): Promise<void> {}
}
