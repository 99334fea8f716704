import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GatewayError } from '../../base/errors.ts';
import type { Json } from '../../base/json.ts';
import type { UciPackage, UciSection } from '../../config/uci-parse-lite/index.ts';
import { type Command, type Input, UsageError } from '../command.ts';
import { cell, columns, tables } from '../layout.ts';
import { configDirectoryOption, locateUci, takenUp } from './config.ts';

const PACKAGE = 'sms_gateway';

/** Options of the section, by those of the command line. */
const settings = {
  scope: 'scope',
  'allow-from': 'allow_from',
  'daily-limit': 'daily_limit',
  expires: 'expires',
} as const;

export const tokenCreate: Command = {
  name: 'token create',
  arguments: '[options] NAME',
  help: 'Make a token for a program that uses the REST interface.',
  details: `Prints the token, which is kept nowhere: only its hash goes into the config. The gateway takes it up at
once. NAME says which program it is for. Lists are separated by commas.`,
  options: {
    scope: { value: 'LIST', help: 'send (default), read, delete, admin.' },
    'allow-from': { value: 'LIST', help: 'Addresses or networks that may use it; default all.' },
    'daily-limit': { value: 'N', help: 'Messages that it may send on a day; default any number.' },
    expires: { value: 'TIME', help: 'When it ends, "YYYY-MM-DD HH:MM"; default never.' },
    print: { help: 'Print the lines for the config, and write nothing.' },
    'config-dir': configDirectoryOption,
  },
  count: [1, 1],
  async run(input, context) {
    const { newToken } = await import('../../access/tokens.ts');
    const { UciPackage, fileForm, replaceConfigFile } = await import('../../config/uci-parse-lite/index.ts');
    const values = await checkedValues(input);
    const { token, hash } = newToken();
    const section = new UciPackage(PACKAGE);
    const added = section.add('token');
    for (const [option, value] of [...values, ['hash', hash] as const]) added.set(option, value);
    const name = input.words[0] ?? '';
    const config = fileForm(section).toString().trim();
    if (input.flag('print')) {
      context.show({ name, token, config }, () => `${token}\n\n${config}`);
      return 0;
    }
    const { directory, uci } = await locateUci(input, context);
    if (tokensOf(uci).some((other) => nameOf(other) === name)) {
      throw new GatewayError('wrong_state', `there is a token ${name} already: smsgw token remove ${name}`);
    }
    // Put behind what is there, whose comments stay.
    const before = await readFile(join(directory, PACKAGE)).catch(() => Buffer.alloc(0));
    await replaceConfigFile(directory, PACKAGE, Buffer.concat([before, Buffer.from(`\n${config}\n`)]));
    await takenUp(context);
    context.remark('The token, shown this once:');
    context.show({ name, token }, () => token);
    return 0;
  },
};

export const tokenList: Command = {
  name: 'token list',
  arguments: '[--config-dir DIR]',
  help: 'List the tokens of the REST interface.',
  options: { 'config-dir': configDirectoryOption },
  count: [0, 0],
  async run(input, context) {
    const { uci } = await locateUci(input, context);
    const tokens = tokensOf(uci).map((section) => ({
      name: nameOf(section),
      enabled: !/^(?:0|off|false|no|disabled)$/i.test(single(section, 'enabled')),
      scope: section.options.get('scope')?.value ?? ['send'],
      daily_limit: Number(single(section, 'daily_limit')),
      expires: single(section, 'expires'),
      expired: isPast(single(section, 'expires')),
    }));
    const words = (value: Json | undefined) => (Array.isArray(value) ? value.map(cell).join(',') : cell(value));
    context.show({ tokens }, (result) => {
      const rows = tables(result['tokens']).map((t) => [
        t['name'],
        t['enabled'] !== true ? 'off' : t['expired'] === true ? 'expired' : 'on',
        words(t['scope']),
        t['daily_limit'] || '-',
        t['expires'] || '-',
      ]);
      return rows.length === 0 ? 'No tokens.' : columns([['NAME', 'STATE', 'SCOPES', 'A DAY', 'EXPIRES'], ...rows]);
    });
    return 0;
  },
};

export const tokenRemove: Command = {
  name: 'token remove',
  arguments: '[--config-dir DIR] NAME',
  help: 'Remove a token; the program that has it can no longer log in.',
  options: { 'config-dir': configDirectoryOption },
  count: [1, 1],
  async run(input, context) {
    const name = input.words[0] ?? '';
    const { commitPackage } = await import('../../config/uci-parse-lite/index.ts');
    const { directory, uci } = await locateUci(input, context);
    const found = tokensOf(uci).find((section) => nameOf(section) === name);
    if (found === undefined) throw new GatewayError('object_not_found', `no token ${JSON.stringify(name)}`);
    uci.delete(found.name);
    await commitPackage(directory, uci);
    await takenUp(context);
    context.show({ name }, () => `${name} can no longer log in.`);
    return 0;
  },
};

/** What was typed, as the section is to have it. Throws UsageError for what the config would refuse. */
async function checkedValues(input: Input): Promise<readonly (readonly [string, string | readonly string[]])[]> {
  const { token } = await import('../../config/schema/token.ts');
  const { formOf, parseValue } = await import('../../config/value.ts');
  const check = (option: keyof typeof token.options, where: string, text: string) => {
    const row = token.options[option];
    const scalar = row.type === 'list' ? row.of : row;
    if (parseValue(scalar, text) !== undefined) return text;
    throw new UsageError(`${where}: got ${JSON.stringify(text)}, wanted ${formOf(scalar)}`);
  };
  const values: (readonly [string, string | readonly string[]])[] = [
    ['name', check('name', 'NAME', input.words[0] ?? '')],
  ];
  for (const [typed, option] of Object.entries(settings)) {
    const text = input.text(typed);
    if (text === undefined) continue;
    const isList = token.options[option].type === 'list';
    const words = isList ? text.split(',').map((word) => word.trim()) : [text];
    const good = words.map((word) => check(option, `--${typed}`, word));
    if (option === 'expires' && isPast(text)) throw new UsageError(`--expires: ${text} is past`);
    values.push([option, isList ? good : (good[0] ?? '')]);
  }
  return values;
}

/** Whether the time that an option `expires` names is over, by the clock on the wall; false for a text that is no time. */
const isPast = (date: string): boolean => Date.parse(date.trim().replace(' ', 'T')) < Date.now();

const tokensOf = (uci: UciPackage): readonly UciSection[] => uci.sections.filter(({ type }) => type === 'token');
const nameOf = (section: UciSection): string => single(section, 'name');

function single({ options }: UciSection, option: string): string {
  const value = options.get(option)?.value;
  return typeof value === 'string' ? value : '';
}
