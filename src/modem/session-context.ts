import type { Clock } from '../base/clock.ts';
import type { FaultLog } from '../base/fault-log.ts';
import type { Logger } from '../base/log.ts';
import type { ModemConfig } from '../config/config.ts';
import type { Deliver } from '../sms/index.ts';
import type { PartReport, SendOutcome } from '../store/sender.ts';
import type { PinMemory } from './pin-memory.ts';
import type { ResetLadder } from './reset-ladder.ts';
import type { ModemStatus, StatusBoard } from './status.ts';

/** What the parts of a session work with. */
export interface SessionContext {
  readonly name: string;
  readonly config: ModemConfig;
  readonly clock: Clock;
  readonly log: Logger;
  readonly faults: FaultLog;
  readonly board: StatusBoard;
  readonly inbound: Inbound;
  readonly pinMemory: PinMemory;
  readonly ladder: ResetLadder;
  /** Forms of +CNMI that the modem refuses for good, with a cause that may also stand for a busy SIM: waited for once. */
  readonly refusedForGood: Set<string>;
}

/** Where a session hands over what its modem received. */
export interface Inbound {
  /**
   * Takes one SMS-DELIVER with its SMSC field, and what was decoded of it; resolves when it is durable. When it rejects, it
   * stays on the modem.
   */
  deliver(pdu: Uint8Array, decoded: Deliver | undefined): Promise<void>;
  /** Takes one status report; resolves when it is durable. */
  report(report: PartReport): Promise<void>;
  /** The modem's answer to a part whose `send` ended without it. */
  answeredLate?(outcome: SendOutcome): void;
  /** An incoming call; without a number when the network hides it. */
  call?(number: string | undefined): void;
  /** The network sent a USSD text without a request. */
  ussd?(text: string): void;
  /** Called on every change of the state. */
  changed(status: ModemStatus): void;
  /** Called when signal, operator, technology or registration are others. */
  noted?(status: ModemStatus): void;
}
