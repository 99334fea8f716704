import type { Command, OptionHelp } from './command.ts';
import { globalOptions } from './input.ts';
import { columns } from './layout.ts';

const optionRows = (options: Readonly<Record<string, OptionHelp>>) =>
  Object.entries(options).map(([name, { value, short, help }]) => [
    `  ${short === undefined ? '' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`,
    help,
  ]);

/** The help of `smsgw` itself. */
export function programHelp(commands: readonly Command[]): string {
  const rows = commands.map(({ name, help }) => [`  ${name}`, help]);
  return `Usage: smsgw [--socket PATH] [--json] COMMAND ...

Commands:
${columns(rows)}

Options:
${columns([...optionRows(globalOptions), ['  --version', 'Print the version.']])}

\`smsgw COMMAND --help\` tells more about a command.`;
}

export function commandHelp({ name, arguments: args, help, details, options }: Command): string {
  return `Usage: smsgw ${`${name} ${args}`.trimEnd()}

${details === undefined ? help : `${help}\n${details}`}

Options:
${columns(optionRows({ ...options, ...globalOptions }))}`;
}
