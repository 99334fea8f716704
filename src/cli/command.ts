import { parseArgs } from 'node:util';
import { isoTime, parseInstant } from '../base/clock.ts';
import { didYouMean } from '../base/closest.ts';
import type { JsonObject } from '../base/json.ts';
import type { RpcClient } from './client.ts';
import type { ShowTime } from './layout.ts';
import type { Progress } from './progress.ts';

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
export type TextInput = AsyncIterable<Buffer | string> & {
  readonly isTTY?: boolean;
  /** Of a terminal: whether it hands on each key at once, and shows none. */
  setRawMode?(raw: boolean): unknown;
};

/** Standard input to its end; of more than `most` octets only so much that it is seen to be more. */
export async function readStdin(stdin: TextInput, most: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stdin) {
    const octets = Buffer.from(chunk);
    chunks.push(octets);
    size += octets.length;
    if (size > most) break;
  }
  return Buffer.concat(chunks);
}

/** What a command works with. */
export interface CommandContext {
  /** Connects at the first call. Throws GatewayError connection_failed. */
  client(): Promise<RpcClient>;
  /** A connection of its own, which the command closes. Throws as `client`. */
  connect(): Promise<RpcClient>;
  readonly stdin: TextInput;
  /** Prints a result: as JSON with --json, else as `render` lays it out. */
  show(result: JsonObject, render: (result: JsonObject, time: ShowTime) => string): void;
  /** Writes to standard output as it is: for results that are files. */
  write(text: string): void;
  /** How times are printed: by the clock on the wall, or with --utc in UTC. */
  readonly time: ShowTime;
  /** How far a long command is, on a terminal. */
  readonly progress: Progress;
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
  /** Further lines of the help, at most 100 characters each. */
  readonly details?: string;
  readonly options: Readonly<Record<string, OptionHelp>>;
  /** How many arguments it takes. */
  readonly count: readonly [min: number, max: number];
  /** Resolves to the exit code. */
  run(input: Input, context: CommandContext): Promise<number>;
}

/** Options that every command takes, before and after its name. */
export const globalOptions = {
  socket: { value: 'PATH', help: 'Socket of the gateway; default $SMSGW_SOCKET or /var/run/sms_gateway.sock.' },
  json: { help: 'Print the result as JSON, for scripts.' },
  utc: { help: 'Take and print times in UTC, not by the clock of this machine. JSON has UTC always.' },
  help: { short: 'h', help: 'Print this help.' },
} as const satisfies Readonly<Record<string, OptionHelp>>;

type Values = Readonly<Record<string, string | boolean | undefined>>;

/** What was typed after the name of a command. */
export class Input {
  readonly words: readonly string[];
  readonly #values: Values;

  constructor(words: readonly string[], values: Values) {
    this.words = words;
    this.#values = values;
  }

  text(option: string): string | undefined {
    const value = this.#values[option];
    return typeof value === 'string' ? value : undefined;
  }

  flag(option: string): boolean {
    return this.#values[option] === true;
  }

  /** An instant in ISO 8601. Throws UsageError. */
  time(option: string): string | undefined {
    const text = this.text(option);
    return text === undefined ? undefined : readTime(`--${option}`, text, this.flag('utc'));
  }

  integer(option: string): number | undefined {
    const text = this.text(option);
    return text === undefined ? undefined : readInteger(`--${option}`, text);
  }
}

/** How times are typed. */
export const timeForm = '2026-01-31 or "2026-01-31 12:00"';

/** A time as typed: with Z or an offset as it is, else by the clock on the wall, or in UTC. In the form of RPC. */
function readTime(what: string, text: string, utc: boolean): string {
  const [, date, time = '00:00', zone = utc ? 'Z' : ''] =
    /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d)?)(Z|[+-]\d\d:\d\d)?)?$/.exec(text) ?? [];
  const at = date === undefined ? undefined : parseInstant(`${date}T${time}${zone}`);
  if (at !== undefined) return isoTime(at);
  throw new UsageError(`${what}: got ${JSON.stringify(text)}, wanted a time such as ${timeForm}`);
}

export function readInteger(what: string, text: string): number {
  if (/^[0-9]{1,15}$/.test(text)) return Number(text);
  throw new UsageError(`${what}: got ${JSON.stringify(text)}, wanted a number`);
}

/** Says what the command wants. */
export const missingArgument = ({
  name,
  arguments: wanted,
}: Partial<Pick<Command, 'name' | 'arguments'>>): UsageError =>
  new UsageError(`an argument is missing: smsgw ${name ?? 'COMMAND'} ${wanted ?? ''}`.trimEnd());

/** What `parseArgs` says against an option, in one line. */
function optionFault(message: string): string {
  const option = /^Option '(.+)' argument is ambiguous/.exec(message)?.[1];
  // It may be the next option, or a value that begins with a dash.
  return option === undefined ? message : `${option}: got no value; one that begins with - is written ${option}=-1`;
}

/** Reads options and arguments. Throws UsageError. */
export function readInput(
  args: readonly string[],
  command: Pick<Command, 'options' | 'count'> & Partial<Pick<Command, 'name' | 'arguments'>>,
): Input {
  const table: Readonly<Record<string, OptionHelp>> = { ...globalOptions, ...command.options };
  const options = Object.fromEntries(
    Object.entries(table).map(([name, { value, short }]) => {
      const type = value === undefined ? ('boolean' as const) : ('string' as const);
      return [name, { type, ...(short !== undefined && { short }) }];
    }),
  );
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const unknown = /^Unknown option '--([^']+)'/.exec(message)?.[1];
    if (unknown === undefined) throw new UsageError(optionFault(message));
    throw new UsageError(
      `no option --${unknown}${didYouMean(
        `--${unknown}`,
        Object.keys(table).map((name) => `--${name}`),
      )}`,
    );
  }
  const { positionals, values } = parsed;
  const [min, max] = command.count;
  if (positionals.length < min && !values['help']) throw missingArgument(command);
  if (positionals.length > max) throw new UsageError(`unexpected argument ${JSON.stringify(positionals[max])}`);
  return new Input(positionals, values as Values);
}
