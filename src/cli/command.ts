import type { JsonObject } from '../base/json.ts';
import type { RpcClient } from './client.ts';
import type { Input } from './input.ts';

/** A command line that cannot be understood. */
export class UsageError extends Error {}

export interface OptionHelp {
  /** What stands after it in the help: `--modem NAME`; a switch when absent. */
  readonly value?: string;
  /** The letter that stands for it: `-h`. */
  readonly short?: string;
  readonly help: string;
}

/** Standard input. */
export type TextInput = AsyncIterable<Buffer | string> & { readonly isTTY?: boolean };

/** What a command may touch. */
export interface CommandContext {
  /** Connects at the first call. Throws GatewayError connection_failed. */
  client(): Promise<RpcClient>;
  readonly stdin: TextInput;
  /** Prints a result: as JSON for scripts, or as `render` puts it for people. */
  show(result: JsonObject, render: (result: JsonObject) => string): void;
  /** A remark to a person; goes to stderr and not to scripts. */
  remark(text: string): void;
}

/** One command of `smsgw`. */
export interface Command {
  /** One word, or two: `config check`. */
  readonly name: string;
  /** What follows the name: `[options] NUMBER [TEXT…]`. */
  readonly arguments: string;
  /** What it does, one line. */
  readonly help: string;
  /** What else a user should know, lines of at most 100 characters. */
  readonly details?: string;
  readonly options: Readonly<Record<string, OptionHelp>>;
  /** How many arguments it takes. */
  readonly count: readonly [min: number, max: number];
  /** Resolves to the exit code. */
  run(input: Input, context: CommandContext): Promise<number>;
}
