import type { Deliver } from '../sms/index.ts';
import type { PartReport, SendOutcome } from '../store/sender.ts';
import type { ModemStatus } from './status.ts';

/** Where a session hands over what its modem received. */
export interface Inbound {
  /**
   * Takes one SMS-DELIVER with its SMSC field, and what was decoded of it; resolves when it is durable. When it rejects, it
   * stays on the modem.
   */
  deliver(pdu: Uint8Array, decoded: Deliver | undefined): Promise<void>;
  /** Takes one status report; resolves when it is durable. */
  report(report: PartReport): Promise<void>;
  /** The modem's word on a part whose `send` had to end without it. */
  answeredLate?(outcome: SendOutcome): void;
  /** Somebody calls; without a number when the network hides it. */
  call?(number: string | undefined): void;
  /** The network sent a USSD text that nobody asked for. */
  ussd?(text: string): void;
  /** Called on every change of the state. */
  changed(status: ModemStatus): void;
}
