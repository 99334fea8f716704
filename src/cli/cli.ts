import { closest, didYouMean } from '../base/closest.ts';
import { describeError, errorTable, GatewayError } from '../base/errors.ts';
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

/** Runs one command line; resolves to the exit code. Never rejects. */
export async function runCommandLine(argv: readonly string[], around: Surroundings): Promise<number> {
  try {
    const { command, group, args } = splitCommand(argv);
    if (command === undefined) return printHelp(group ?? commands, args, around);
    const input = readInput(args, command);
    if (input.flag('help')) {
      around.stdout.write(`${commandHelp(command)}\n`);
      return 0;
    }
    return await runCommand(command, input, around);
  } catch (error) {
    return printError(error, wantsJson(argv), around);
  }
}

/** Also of a line that cannot be read: what reads the error is a script. */
const wantsJson = (argv: readonly string[]): boolean => {
  const end = argv.indexOf('--');
  return argv.slice(0, end === -1 ? argv.length : end).includes('--json');
};

async function runCommand(command: Command, input: Input, around: Surroundings): Promise<number> {
  const { stdout, stderr, env } = around;
  const json = input.flag('json');
  const path = input.text('socket') ?? env['SMSGW_SOCKET'] ?? DEFAULT_SOCKET;
  if (path === '') throw new UsageError('--socket, or else SMSGW_SOCKET, wants a path, got nothing');
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

interface Split {
  readonly command?: Command;
  /** The commands that begin with the word of which help is asked for, such as `token`. */
  readonly group?: readonly Command[];
  /** What is not the name: options before it stay in front of those behind it. */
  readonly args: readonly string[];
}

/** Finds the command, or those that help is asked for: `help NAME` is `NAME --help`. */
function splitCommand(argv: readonly string[]): Split {
  let at = 0;
  while (argv[at]?.startsWith('-')) at += argv[at] === '--socket' ? 2 : 1;
  if (at >= argv.length) return { args: argv };
  const before = argv.slice(0, at);
  const words = argv.slice(at, at + 2);
  const [first = '', second] = words;
  if (first === 'help') return splitCommand([...before, ...argv.slice(at + 1), '--help']);
  const command = commands.find(({ name }) => name === first || name === words.join(' '));
  if (command !== undefined) return { command, args: [...before, ...argv.slice(at + command.name.split(' ').length)] };
  const group = commands.filter(({ name }) => name.startsWith(`${first} `));
  const args = [...before, ...argv.slice(at + 1)];
  if (group.length === 0 || !args.some((arg) => /^(?:-h|--help)$/.test(arg))) throw new UsageError(noCommand(words));
  if (second === undefined || second.startsWith('-')) return { group, args };
  throw new UsageError(noCommand(words));
}

function noCommand([first = '', second]: readonly string[]): string {
  const names = commands.map(({ name }) => name);
  const pairs = names.filter((name) => name.startsWith(`${first} `));
  if (pairs.length > 0 && (second === undefined || closest(`${first} ${second}`, names) === undefined)) {
    return `${JSON.stringify([first, second].join(' ').trim())} is no command, there is: ${pairs.join(', ')}`;
  }
  const both = second === undefined ? undefined : closest(`${first} ${second}`, names);
  const meant = both === undefined ? didYouMean(first, names) : `, did you mean ${both}?`;
  return `no command ${JSON.stringify(first)}${meant}`;
}

function printHelp(listed: readonly Command[], args: readonly string[], { stdout }: Surroundings): number {
  const input = readInput(args, { options: { version: { help: '' } }, count: [0, 0] });
  if (input.flag('version')) {
    stdout.write(`${version}\n`);
    return 0;
  }
  if (!input.flag('help')) throw new UsageError('a command is missing');
  stdout.write(`${programHelp(listed)}\n`);
  return 0;
}

function printError(error: unknown, json: boolean, { stderr }: Surroundings): number {
  const code = error instanceof GatewayError ? error.code : isUsage(error) ? 'invalid_argument' : 'internal';
  const message = error instanceof GatewayError ? error.message : describeError(error);
  if (json) stderr.write(`${printable(JSON.stringify({ error: { code, message } }))}\n`);
  else if (isUsage(error)) stderr.write(`smsgw: ${printable(message)}\nTry: smsgw --help\n`);
  else stderr.write(`smsgw: ${printableLines(message)}\n`);
  return errorTable[code].exit;
}

const isUsage = (error: unknown): boolean => error instanceof UsageError;

const optionRows = (options: Readonly<Record<string, OptionHelp>>) =>
  Object.entries(options).map(([name, { value, short, help }]) => [
    `  ${short === undefined ? '' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`,
    help,
  ]);

/** The help of `smsgw` itself, with the commands that are asked for. */
function programHelp(listed: readonly Command[]): string {
  const rows = [
    ...listed.map(({ name, help }) => [`  ${name}`, help]),
    ['  help', 'Print this help, or that of the command behind it: smsgw help send.'],
  ];
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
