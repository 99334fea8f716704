import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { ModemConfig } from '../config/config.ts';
import type { FaultLog } from './fault-log.ts';
import type { Inbound } from './inbound.ts';
import type { PinMemory } from './pin-memory.ts';
import type { ResetLadder } from './reset-ladder.ts';
import type { StatusBoard } from './status-board.ts';

/** What the parts of a session work with. */
export interface LifeContext {
  readonly name: string;
  readonly config: ModemConfig;
  readonly clock: Clock;
  readonly log: Logger;
  readonly faults: FaultLog;
  readonly board: StatusBoard;
  readonly inbound: Inbound;
  readonly pinMemory: PinMemory;
  readonly ladder: ResetLadder;
  /** Commands that the modem refuses for good, although with a cause that may also stand for a busy SIM. */
  readonly refusedForGood: Set<string>;
}
