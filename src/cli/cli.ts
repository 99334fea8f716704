import { closest, didYouMean } from '../base/closest.ts';
import { describeError, GatewayError } from '../base/errors.ts';
import { printable, printableLines } from '../base/printable.ts';
import { version } from '../base/version.ts';
import { RpcClient } from './client.ts';
import {
  type Command,
  type CommandContext,
  globalOptions,
  type Input,
  type OptionHelp,
  readInput,
  type TextInput,
  UsageError,
} from './command.ts';
import { commands } from './commands/index.ts';
import { columns, timeIn } from './layout.ts';
import { Progress, type Terminal } from './progress.ts';

/** The streams and variables of the process. */
export interface Surroundings {
  readonly stdin: TextInput;
  readonly stdout: { write(text: string): unknown };
  readonly stderr: Terminal;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const DEFAULT_SOCKET = '/var/run/sms_gateway.sock';
const USAGE_EXIT = 64;

/** Runs one command line; resolves to the exit code. Never rejects. */
export async function runCommandLine(argv: readonly string[], around: Surroundings): Promise<number> {
  let json = false;
  try {
    const { command, args } = splitCommand(argv[0] === 'help' ? [...argv.slice(1), '--help'] : argv);
    if (command === undefined) return printHelp(args, around);
    const input = readInput(args, command);
    json = input.flag('json');
    if (input.flag('help')) {
      around.stdout.write(`${commandHelp(command)}\n`);
      return 0;
    }
    return await runCommand(command, input, around);
  } catch (error) {
    return printError(error, json, around);
  }
}

async function runCommand(command: Command, input: Input, around: Surroundings): Promise<number> {
  const { stdout, stderr, env } = around;
  const json = input.flag('json');
  const path = input.text('socket') ?? env['SMSGW_SOCKET'] ?? DEFAULT_SOCKET;
  const progress = new Progress(stderr, !json);
  const time = timeIn(input.flag('utc'));
  let client: Promise<RpcClient> | undefined;
  const context: CommandContext = {
    client: () => {
      client ??= RpcClient.connect(path);
      return client;
    },
    connect: () => RpcClient.connect(path),
    // Opened only by commands that read it.
    get stdin() {
      return around.stdin;
    },
    show(result, render) {
      const text = json ? printable(JSON.stringify(result)) : render(result, time);
      if (text !== '') stdout.write(`${text}\n`);
    },
    write: (text) => void stdout.write(text),
    time,
    progress,
    remark(text) {
      progress.clear();
      if (!json) stderr.write(`${printable(text)}\n`);
    },
  };
  try {
    return await command.run(input, context);
  } finally {
    // The command has already reported a connection that failed.
    (await client?.catch(() => undefined))?.close();
  }
}

/** Finds the command; the options before its name stay in front of those behind it. */
function splitCommand(argv: readonly string[]): { command?: Command; args: readonly string[] } {
  let at = 0;
  while (argv[at]?.startsWith('-')) at += argv[at] === '--socket' ? 2 : 1;
  if (at >= argv.length) return { args: argv };
  const words = argv.slice(at, at + 2);
  const command = commands.find(({ name }) => name === words[0] || name === words.join(' '));
  if (command === undefined) throw new UsageError(noCommand(words));
  const behind = argv.slice(at + command.name.split(' ').length);
  return { command, args: [...argv.slice(0, at), ...behind] };
}

function noCommand([first = '', second]: readonly string[]): string {
  const names = commands.map(({ name }) => name);
  const both = second === undefined ? undefined : closest(`${first} ${second}`, names);
  const meant = both === undefined ? didYouMean(first, names) : `, did you mean ${both}?`;
  return `no command ${JSON.stringify(first)}${meant}`;
}

function printHelp(args: readonly string[], { stdout }: Surroundings): number {
  const input = readInput(args, { options: { version: { help: '' } }, count: [0, 0] });
  if (input.flag('version')) {
    stdout.write(`${version}\n`);
    return 0;
  }
  if (!input.flag('help')) throw new UsageError('a command is missing');
  stdout.write(`${programHelp(commands)}\n`);
  return 0;
}

function printError(error: unknown, json: boolean, { stderr }: Surroundings): number {
  if (error instanceof UsageError) {
    stderr.write(`smsgw: ${printable(error.message)}\nTry: smsgw --help\n`);
    return USAGE_EXIT;
  }
  const code = error instanceof GatewayError ? error.code : 'internal';
  const message = error instanceof GatewayError ? error.message : describeError(error);
  stderr.write(
    json ? `${printable(JSON.stringify({ error: { code, message } }))}\n` : `smsgw: ${printableLines(message)}\n`,
  );
  return error instanceof GatewayError ? error.mapping.exit : 70;
}

const optionRows = (options: Readonly<Record<string, OptionHelp>>) =>
  Object.entries(options).map(([name, { value, short, help }]) => [
    `  ${short === undefined ? '' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`,
    help,
  ]);

/** The help of `smsgw` itself. */
function programHelp(commands: readonly Command[]): string {
  const rows = commands.map(({ name, help }) => [`  ${name}`, help]);
  return `Usage: smsgw [--socket PATH] [--json] COMMAND ...

Commands:
${columns(rows)}

Options:
${columns([...optionRows(globalOptions), ['  --version', 'Print the version.']])}

\`smsgw COMMAND --help\` shows the options of a command.`;
}

function commandHelp({ name, arguments: args, help, details, options }: Command): string {
  return `Usage: smsgw ${`${name} ${args}`.trimEnd()}

${details === undefined ? help : `${help}\n${details}`}

Options:
${columns(optionRows({ ...options, ...globalOptions }))}`;
}
