import type { ModemCore } from '../core.ts';
import type { Arguments } from './arguments.ts';
import type { FailureFamily } from './failure.ts';

/** What a command may do with the line besides answering. */
export interface CommandIo {
  /** Gives the `> ` prompt and takes what comes until Ctrl-Z; undefined when ESC cancelled it (TS 27.005 3.5.1). */
  prompt(): Promise<string | undefined>;
}

/** Information text of the answer, a line each. OK follows. */
export type Lines = readonly string[];
export type Answer = Lines | Promise<Lines>;

/** One row of the command table. A form that is absent is an error, save that a test form follows from a set form. */
export interface AtCommand {
  readonly errors: FailureFamily;
  /** Needs a SIM that is there and unlocked. */
  readonly sim?: boolean;
  /** Hands a message to the network, which may refuse it: the fault `cms_error` is the network's. */
  readonly sends?: boolean;
  readonly test?: (modem: ModemCore) => Lines;
  readonly read?: (modem: ModemCore) => Answer;
  readonly execute?: (modem: ModemCore, io: CommandIo) => Answer;
  readonly set?: (modem: ModemCore, args: Arguments, io: CommandIo) => Answer;
}

export type CommandFamily = Readonly<Record<string, AtCommand>>;

/** The answer of a command that has nothing to tell but OK. */
export const ok: Lines = [];
