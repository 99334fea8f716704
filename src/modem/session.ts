import type { Clock } from '../clock.ts';
import type { ModemConfig } from '../config/config.ts';
import type { Logger } from '../log.ts';
import type { PartReport, PartToSend, Sender, SendOutcome } from '../store/sender.ts';
import type { PinMemory } from './pin-memory.ts';
import type { PortBindings } from './port/port.ts';
import type { ModemStatus } from './status.ts';

/** Where a session hands over what its modem received. */
export interface Inbound {
  /** Takes one SMS-DELIVER with its SMSC prefix; resolves when it is durable. When it rejects, the SMS stays on the modem. */
  deliver(pdu: Uint8Array): Promise<void>;
  /** Takes one status report; resolves when it is durable. */
  report(report: PartReport): Promise<void>;
  /** Called on every change of the state. */
  changed(status: ModemStatus): void;
}

export interface ModemSessionOptions {
  /** The section's name. */
  readonly name: string;
  readonly config: ModemConfig;
  readonly clock: Clock;
  readonly log: Logger;
  readonly inbound: Inbound;
  readonly bindings?: PortBindings;
  /** Remembers over restarts which PIN was tried; in this process only when absent. */
  readonly pinMemory?: PinMemory;
}

/** Drives one modem for as long as the gateway runs. */
export class ModemSession implements Sender {
  readonly name: string;
  readonly #config: ModemConfig;

  constructor(options: ModemSessionOptions) {
    this.name = options.name;
    this.#config = options.config;
  }

  get ready(): boolean {
    return false;
  }

  get epoch(): number {
    return 0;
  }

  /** Begins; returns at once. The state tells how far it is. */
  start(): void {}

  /** Ends everything; resolves when the port is closed. */
  async stop(): Promise<void> {}

  /** Closes the port and begins anew. */
  restart(): void {}

  status(): ModemStatus {
    return {
      name: this.name,
      state: 'stopped',
      since: 0,
      device: this.#config.device,
      sent: 0,
      received: 0,
      errors: 0,
      reopened: 0,
    };
  }

  async send(_part: PartToSend, _signal: AbortSignal): Promise<SendOutcome> {
    return { type: 'unavailable', reason: 'not started' };
  }

  /** One USSD request; resolves to the network's answer. Throws GatewayError. */
  async ussd(_code: string, _signal: AbortSignal): Promise<string> {
    return '';
  }
}
