import type { Config, RuleConfig } from '../../config/config.ts';
import type { InboxMessage } from '../../store/message.ts';
import type { ModuleContext } from '../host/contract.ts';

export type RulesContext = ModuleContext<Pick<Config, 'rules' | 'commands' | 'gateway'>>;

/** A rule that is to be carried out: its message is fresh, and its sender may. */
export interface Execution {
  readonly rule: RuleConfig;
  readonly message: InboxMessage;
  readonly signal: AbortSignal;
  /** To be awaited before anything that must not happen twice: a crash behind it ends the execution for good. */
  readonly commit: () => Promise<void>;
}

/** What came of it. */
export interface Result {
  readonly failed?: true;
  /** For the log: what was done or why not, without what a program printed. */
  readonly summary: string;
  /** For whoever wrote the message. */
  readonly answer?: string;
}
