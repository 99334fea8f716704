import { errorTable } from '../../src/base/errors.ts';
import type { Command, OptionHelp } from '../../src/cli/command.ts';
import { globalOptions } from '../../src/cli/command.ts';
import { commands } from '../../src/cli/commands/index.ts';
import { version } from './target.ts';

/** Text of a troff paragraph: nothing in it is a request or an escape. */
const roff = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/gm, '\\&$1');

function optionItem([name, { value, short, help }]: readonly [string, OptionHelp]): string {
  const forms = [...(short === undefined ? [] : [`-${short}`]), `--${name}`].map((form) => `\\fB${roff(form)}\\fR`);
  return `.TP\n${forms.join(', ')}${value === undefined ? '' : ` \\fI${roff(value)}\\fR`}\n${roff(help)}`;
}

function commandItem({ name, arguments: args, help, details, options }: Command): string {
  const head = `.SS ${roff(`${name} ${args}`.trimEnd())}\n${roff(help)}`;
  const more = details === undefined ? [] : [`.PP\n${roff(details)}`];
  return [head, ...more, ...Object.entries(options).map(optionItem)].join('\n');
}

function exitCodes(): string {
  const names = new Map<number, string[]>();
  for (const [code, { exit }] of Object.entries(errorTable)) names.set(exit, [...(names.get(exit) ?? []), code]);
  const rows = [...names].sort(([a], [b]) => a - b).map(([exit, codes]) => `.TP\n${exit}\n${roff(codes.join(', '))}`);
  return [`.TP\n0\nDone.`, ...rows, `.TP\n64\nThe command line cannot be understood.`].join('\n');
}

/** The page smsgw(1), from the table of commands. */
export function manPage(): string {
  return `.TH SMSGW 1 "" "sms_gateway ${version}" "User Commands"
.SH NAME
smsgw \\- command line of the SMS gateway
.SH SYNOPSIS
.B smsgw
[\\fB\\-\\-socket\\fR \\fIPATH\\fR] [\\fB\\-\\-json\\fR] \\fICOMMAND\\fR ...
.SH DESCRIPTION
Sends and reads SMS through the gateway's daemon, and shows its state. Text is for people; with \\fB\\-\\-json\\fR it is for
scripts.
.SH COMMANDS
${commands.map(commandItem).join('\n')}
.SH OPTIONS
These go with every command.
${Object.entries(globalOptions).map(optionItem).join('\n')}
.SH ENVIRONMENT
.TP
.B SMSGW_SOCKET
Socket of the gateway, where \\fB\\-\\-socket\\fR does not name one.
.SH EXIT STATUS
${exitCodes()}
.SH SEE ALSO
.BR sms_gateway (8)
`;
}
