import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import { Faults } from './faults.ts';
import type { IncomingMessage, NetworkCounters, SentMessage, SentPart } from './messages.ts';
import type { SimulatorOptions } from './options.ts';

interface SimulatorEvents {
  /** A whole message left for the network. */
  sent: [SentMessage];
  /** One SMS-SUBMIT was taken by the network. */
  part: [SentPart];
  /** The port came back after `port_gone`. */
  plugged: [];
}

export type RegistrationState = 'none' | 'home' | 'searching' | 'denied' | 'unknown' | 'roaming';

/** A modem with its SIM and a small network around it. It lives on while no stream is attached, as a real one does. */
export class SimulatedModem extends EventEmitter<SimulatorEvents> {
  readonly faults: Faults = new Faults();

  // biome-ignore lint/complexity/noUselessConstructor: signature first
  constructor(_options: SimulatorOptions = {}) {
    super();
  }

  /** False while the port is gone: `attach` and `connect` throw GatewayError connection_failed then. */
  get plugged(): boolean {
    return true;
  }

  /** Puts the modem on a byte stream, which it destroys when its port goes. A stream before is detached. */
  attach(_stream: Duplex): void {}

  /** Takes the modem off its stream, which stays open. Settings, storages and a waiting prompt are kept. */
  detach(): void {}

  /** An in-process serial line to the modem: the host's end of it. */
  connect(): Duplex {
    throw new Error('not yet');
  }

  /** Somebody sends a SMS to the modem's number. Long texts come in parts. Throws SmsError, GatewayError queue_full. */
  receive(_message: IncomingMessage): void {}

  /** A SMS-DELIVER or SMS-STATUS-REPORT with its SMSC field in front, hexadecimal, arrives as it is. */
  receivePdu(_hex: string): void {}

  /** The last 1,000 messages sent, oldest first. */
  sent(): readonly SentMessage[] {
    return [];
  }

  /** The last 10,000 parts sent, oldest first. */
  sentParts(): readonly SentPart[] {
    return [];
  }

  get counters(): NetworkCounters {
    throw new Error('not yet');
  }

  /** What the network makes of the modem. It sends the codes that +CREG asked for. */
  setRegistration(_state: RegistrationState): void {}

  /** Signal as +CSQ gives it: 0 to 31, 99 for unknown. */
  setSignal(_csq: number): void {}

  /** Ends every timer and takes the modem off its stream. */
  stop(): void {}
}
