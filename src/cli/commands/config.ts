import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { closest } from '../../base/closest.ts';
import { errorTable, GatewayError } from '../../base/errors.ts';
import type { Config } from '../../config/config.ts';
import type { LoadedConfig } from '../../config/load-config.ts';
import type { ConfigError } from '../../config/problems.ts';
import type { RepeatedName, SingleName } from '../../config/schema/index.ts';
import type { UciPackage } from '../../config/uci-parse-lite/index.ts';
import { noModem } from '../../rpc/objects/message/waiting.ts';
import { type Command, type CommandContext, type Input, type OptionHelp, UsageError } from '../command.ts';
import { cell, faultLines, table, tables, warningLines } from '../layout.ts';

export const reload: Command = {
  name: 'reload',
  arguments: '',
  help: 'Read the config again.',
  details: 'The exit code is 78 when it has errors.',
  options: {},
  count: [0, 0],
  async run(_input, context) {
    const result = await (await context.client()).call('sms_gateway', 'reload');
    const sections = Array.isArray(result['sections']) ? result['sections'].map(cell) : [];
    const changed = sections.length === 0 ? 'Nothing changed.' : `Changed: ${sections.join(', ')}`;
    context.show(result, (r) => [changed, faultLines(r['config_errors'])].filter((line) => line !== '').join('\n'));
    const faulty = tables(result['config_errors']).some(({ severity }) => severity === 'error');
    return faulty ? errorTable.config_invalid.exit : 0;
  },
};

/** Directories of the config: the first on OpenWrt and RutOS, the second on Debian. */
const usual = ['/etc/config', '/etc/sms-gateway'] as const;

export const configDirectoryOption = {
  value: 'DIR',
  help: `Directory of the config; default that of the running gateway, else ${usual.join(' or ')}.`,
} as const satisfies OptionHelp;

export const usualDirectory = (): string => usual.find((directory) => existsSync(directory)) ?? usual[0];

/** A gateway that takes longer to say where its config lies is not waited for, ms. */
const PLACE_MS = 3_000;

/** The directory that was named, else that of the gateway behind the socket, else the usual one, which is a guess. */
async function findDirectory(
  input: Input,
  context: CommandContext,
): Promise<{ readonly directory: string; readonly guessed: boolean }> {
  const known = input.text('config-dir') ?? (await runningDirectory(context));
  return { directory: known ?? usualDirectory(), guessed: known === undefined };
}

export const configDirectory = async (input: Input, context: CommandContext): Promise<string> =>
  (await findDirectory(input, context)).directory;

async function runningDirectory(context: CommandContext): Promise<string | undefined> {
  try {
    const { files } = await (await context.client()).call('sms_gateway', 'status', {}, PLACE_MS);
    const { config } = table(files);
    return typeof config === 'string' ? dirname(config) : undefined;
  } catch (error) {
    // It does not run, or this user may not ask it. What is no gateway is worth an error where it is asked for more.
    if (error instanceof GatewayError) return undefined;
    throw error;
  }
}

/** A gateway that runs has taken up what was written when this resolves. Never rejects: else it finds the change by itself. */
export async function takenUp(context: CommandContext): Promise<void> {
  try {
    await (await context.client()).call('sms_gateway', 'reload');
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
  }
}

/**
 * Where the config is, and what stands in it. Throws GatewayError file_not_found where there is no such directory, or it is a
 * guess and has no file.
 */
export async function locateUci(
  input: Input,
  context: CommandContext,
): Promise<{ readonly directory: string; readonly uci: UciPackage }> {
  const { directory, guessed } = await findDirectory(input, context);
  const file = join(directory, 'sms_gateway');
  if (!existsSync(guessed ? file : directory)) throw noFile(file, guessed);
  return { directory, uci: await loadUci(directory) };
}

const noFile = (file: string, guessed: boolean): GatewayError =>
  new GatewayError(
    'file_not_found',
    `there is no file ${file}${guessed ? ', and no gateway answers that says where its config is: is --config-dir missing?' : ''}`,
  );

export const configCheck: Command = {
  name: 'config check',
  arguments: '[--config-dir DIR | FILE]',
  help: 'Check the config without a running gateway.',
  details: `The exit code is ${errorTable.config_invalid.exit} when it has errors, and ${errorTable.file_not_found.exit} when there is no such file. Warnings have no code.`,
  options: { 'config-dir': configDirectoryOption },
  count: [0, 1],
  async run(input, context) {
    const [file] = input.words;
    if (file !== undefined && input.text('config-dir') !== undefined) {
      throw new UsageError('FILE and --config-dir exclude each other');
    }
    // The schema is only needed here.
    const { loadConfig, PACKAGE } = await import('../../config/load-config.ts');
    const { routerLacks } = await import('../../system/router.ts');
    const { directory, guessed } =
      file === undefined ? await findDirectory(input, context) : { directory: dirname(file), guessed: false };
    const path = file ?? join(directory, PACKAGE);
    if (!existsSync(path)) throw noFile(path, guessed);
    const loaded = await loadConfig(dirname(path), routerLacks, basename(path));
    const { config, errors, exposures } = loaded;
    const isFaulty = errors.some(isError);
    const exposed = (await exposures()).map(({ text }) => text);
    const programs = (await programsOf(config)).flatMap(({ option, fault }) =>
      fault === undefined ? [] : [`${option}: ${fault}`],
    );
    const warnings = [...exposed, ...(await groupWarnings(config)), ...programs, ...(await modemWarnings(loaded))];
    context.show({ config_errors: errors.map((error) => ({ ...error })), warnings }, (r) =>
      [faultLines(r['config_errors']) || `${path} is fine.`, warningLines(r['warnings'])]
        .filter((line) => line !== '')
        .join('\n'),
    );
    return isFaulty ? errorTable.config_invalid.exit : 0;
  },
};

const isError = ({ severity }: ConfigError): boolean => severity === 'error';

/** Groups of the config that this system does not have: sentences. */
export async function groupWarnings({ gateway }: Pick<Config, 'gateway'>): Promise<readonly string[]> {
  const { noGroup } = await import('../../rpc/roles.ts');
  const { System } = await import('../../system/system.ts');
  const system = new System();
  const wanted = [['read', gateway.read_group] as const, ['send', gateway.send_group] as const];
  const found = wanted.map(async ([role, group]) =>
    group === undefined || (await system.groupId(group)) !== undefined ? [] : [noGroup(role, group)],
  );
  return (await Promise.all(found)).flat();
}

/** A program of the config. Of its arguments nothing is said: they may be secrets. */
interface ConfigProgram {
  readonly area: string;
  /** `SECTION.OPTION`. */
  readonly option: string;
  readonly program: string;
  /** Why it is not run, a sentence. */
  readonly fault?: string;
}

/** Programs that hooks, rules and modems run, by their absolute paths. */
export async function programsOf({
  hooks,
  commands,
  modems,
}: Pick<Config, 'hooks' | 'commands' | 'modems'>): Promise<readonly ConfigProgram[]> {
  const { distrust } = await import('../../system/trusted-program.ts');
  const used = [
    ...hooks
      .filter(({ enabled }) => enabled)
      .map(({ section, argv }) => [`hook ${section}`, `${section}.argv`, argv[0]] as const),
    ...commands.map(({ section, name, argv }) => [`command ${name}`, `${section}.argv`, argv[0]] as const),
    ...modems.map(
      ({ section, reset_command: argv }) => [`reset of ${section}`, `${section}.reset_command`, argv[0]] as const,
    ),
  ];
  const found = used.map(async ([area, option, program]) => {
    if (program === undefined || !program.startsWith('/')) return [];
    const fault = await distrust(program);
    return [{ area, option, program, ...(fault !== undefined && { fault }) }];
  });
  return (await Promise.all(found)).flat();
}

/** Modems of the config that cannot work as things stand: sentences. */
async function modemWarnings({ config, sections, errors, unreadable }: LoadedConfig): Promise<readonly string[]> {
  const { missingPort } = await import('../../system/serial-ports.ts');
  const used = config.modems.filter(({ enabled }) => enabled);
  // A section with a fault may be the modem, and of a file that cannot be understood nobody knows its modems.
  const isBad =
    sections.some(({ key, bad, off }) => key === 'modems' && bad && !off) || (unreadable && errors.some(isError));
  if (used.length === 0) return isBad ? [] : [noModem];
  const faults = used.map(async ({ section, device }) => {
    const fault = device.startsWith('/') ? await missingPort(device) : undefined;
    return fault === undefined ? [] : [`${section}.device: ${fault}`];
  });
  return (await Promise.all(faults)).flat();
}

/** What was typed as SECTION.OPTION. */
function placeOf(word = ''): { readonly section: string; readonly option: string } {
  const [, section, option] = /^([A-Za-z0-9_]+)\.([A-Za-z0-9_]+)$/.exec(word) ?? [];
  if (section !== undefined && option !== undefined) return { section, option };
  throw new UsageError(`got ${JSON.stringify(word)}, wanted SECTION.OPTION`);
}

/** The config file, sections and all; an empty one where the file is missing. Throws GatewayError config_invalid. */
async function loadUci(directory: string): Promise<UciPackage> {
  const { loadPackage, UciError, UciPackage } = await import('../../config/uci-parse-lite/index.ts');
  const file = join(directory, 'sms_gateway');
  try {
    return (await loadPackage(directory, 'sms_gateway')) ?? new UciPackage('sms_gateway');
  } catch (error) {
    if (!(error instanceof UciError)) throw error;
    const place = error.line === undefined || error.line === 0 ? file : `${file}:${error.line}`;
    throw new GatewayError('config_invalid', `${place}: ${error.explanation}`);
  }
}

/** The key of the schema that a section goes by; undefined where the gateway does not read it. */
async function schemaKeyOf(section: string, uci: UciPackage): Promise<SingleName | RepeatedName | undefined> {
  const { repeatedNames, repeatedSections, singleNames } = await import('../../config/schema/index.ts');
  const type = uci.section(section)?.type;
  return (
    singleNames.find((name) => name === section) ?? repeatedNames.find((name) => repeatedSections[name].name === type)
  );
}

/** `, did you mean SECTION.OPTION?`, or nothing. */
async function meant(section: string, option: string, uci: UciPackage): Promise<string> {
  const { schemaOf, singleNames } = await import('../../config/schema/index.ts');
  const sections = [...singleNames, ...uci.sections.map(({ name }) => name)];
  const known = sections.includes(section) ? section : closest(section, sections);
  const key = known === undefined ? undefined : await schemaKeyOf(known, uci);
  if (known === undefined || key === undefined) return '';
  const options = Object.keys(schemaOf(key).options);
  const near = options.includes(option) ? option : closest(option, options);
  if (near === undefined || (known === section && near === option)) return '';
  return `, did you mean ${known}.${near}?`;
}

export const configGet: Command = {
  name: 'config get',
  arguments: '[--config-dir DIR] SECTION.OPTION',
  help: 'Print an option as the config file has it, such as post_get.password.',
  details: `Needs no running gateway, but the right to read the file. An option that is not set has the exit code ${errorTable.config_invalid.exit}.`,
  options: { 'config-dir': configDirectoryOption },
  count: [1, 1],
  async run(input, context) {
    const { section, option } = placeOf(input.words[0]);
    const { directory, uci } = await locateUci(input, context);
    const value = uci.section(section)?.options.get(option)?.value;
    if (value === undefined) {
      const hint = await meant(section, option, uci);
      throw new GatewayError('config_invalid', `${directory}/sms_gateway does not set ${section}.${option}${hint}`);
    }
    context.show({ value }, () => (typeof value === 'string' ? value : value.join('\n')));
    return 0;
  },
};

export const configSet: Command = {
  name: 'config set',
  arguments: '[--config-dir DIR] SECTION.OPTION [VALUE...]',
  help: 'Set an option in the config file, or without a VALUE remove it. The gateway takes it up at once.',
  details: 'A list takes several values. As uci commit does, it writes the file without its comments.',
  options: { 'config-dir': configDirectoryOption },
  count: [1, 1000],
  async run(input, context) {
    const [place, ...values] = input.words;
    const { section, option } = placeOf(place);
    const { directory, uci } = await locateUci(input, context);
    const { schemaOf } = await import('../../config/schema/index.ts');
    const key = await schemaKeyOf(section, uci);
    const options = key === undefined ? {} : schemaOf(key).options;
    const row = Object.hasOwn(options, option) ? options[option] : undefined;
    if (row === undefined) {
      const what = key === undefined ? `no section ${section}` : `section ${section} has no option ${option}`;
      throw new GatewayError('config_invalid', `${what}${await meant(section, option, uci)}`);
    }
    if (row.type !== 'list' && values.length > 1) throw new UsageError(`${section}.${option} takes one value`);
    const { formOf, parseValue } = await import('../../config/value.ts');
    const scalar = row.type === 'list' ? row.of : row;
    // What was typed is not repeated: it may be a password.
    if (values.some((value) => parseValue(scalar, value) === undefined)) {
      throw new UsageError(`${section}.${option}: wanted ${formOf(scalar)}`);
    }
    const { commitPackage } = await import('../../config/uci-parse-lite/index.ts');
    const target = uci.section(section) ?? uci.add(section, section);
    target.set(option, row.type === 'list' ? values : (values[0] ?? []));
    await commitPackage(directory, uci);
    await takenUp(context);
    context.show({ section, option }, () => `${section}.${option} is ${values.length === 0 ? 'removed' : 'set'}.`);
    return 0;
  },
};
