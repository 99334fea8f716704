import type { Clock } from '../../../base/clock.ts';
import type { GroupConfig } from '../../../config/config.ts';
import type { Outbox } from '../../../store/outbox/outbox.ts';
import type { Binding } from '../session.ts';

/** What an operation works with. */
export interface OperationContext {
  readonly binding: Binding;
  readonly outbox: Outbox;
  readonly groups: readonly GroupConfig[];
  readonly clock: Clock;
  /** Aborts when the server stops. */
  readonly signal: AbortSignal;
}
