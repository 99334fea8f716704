import { parseArgs } from 'node:util';
import { type Command, type OptionHelp, UsageError } from './command.ts';

/** Options that every command takes, before and after its name. */
export const globalOptions = {
  socket: { value: 'PATH', help: 'Socket of the gateway; default $SMSGW_SOCKET or /var/run/sms_gateway.sock.' },
  json: { help: 'Print the result as JSON, for scripts.' },
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

  integer(option: string): number | undefined {
    const text = this.text(option);
    return text === undefined ? undefined : readInteger(`--${option}`, text);
  }
}

export function readInteger(what: string, text: string): number {
  if (/^[0-9]{1,15}$/.test(text)) return Number(text);
  throw new UsageError(`${what}: got ${JSON.stringify(text)}, wanted a number`);
}

/** Reads options and arguments. Throws UsageError. */
export function readInput(args: readonly string[], command: Pick<Command, 'options' | 'count'>): Input {
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
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  const { positionals, values } = parsed;
  const [min, max] = command.count;
  if (positionals.length < min && !values['help']) throw new UsageError('an argument is missing');
  if (positionals.length > max) throw new UsageError(`unexpected argument ${JSON.stringify(positionals[max])}`);
  return new Input(positionals, values as Values);
}
