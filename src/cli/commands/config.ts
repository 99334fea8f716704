import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { errorTable, GatewayError } from '../../base/errors.ts';
import { type Command, type Input, type OptionHelp, UsageError } from '../command.ts';
import { cell, faultLines, tables, warningLines } from '../layout.ts';

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
  help: `Directory of the file sms_gateway; default ${usual.join(', else ')}.`,
} as const satisfies OptionHelp;

export const configDirectory = (input: Input): string =>
  input.text('config-dir') ?? usual.find((directory) => existsSync(directory)) ?? usual[0];

export const configCheck: Command = {
  name: 'config check',
  arguments: '[--config-dir DIR]',
  help: 'Check the config without a running gateway.',
  details: 'The exit code is 78 when it has errors.',
  options: { 'config-dir': configDirectoryOption },
  count: [0, 0],
  async run(input, context) {
    // The schema is only needed here.
    const { loadConfig, PACKAGE } = await import('../../config/load-config.ts');
    const directory = configDirectory(input);
    const { routerLacks } = await import('../../system/router.ts');
    const { errors, exposure } = await loadConfig(directory, routerLacks);
    const faults = errors.map((error) => ({ ...error }));
    const fine = `${join(directory, PACKAGE)} is fine.`;
    const warnings = exposure === undefined ? [] : [exposure];
    context.show({ config_errors: faults, warnings }, (r) =>
      [faultLines(r['config_errors']) || fine, ...(exposure === undefined ? [] : [warningLines(r['warnings'])])].join(
        '\n',
      ),
    );
    return errors.some(({ severity }) => severity === 'error') ? errorTable.config_invalid.exit : 0;
  },
};

export const configGet: Command = {
  name: 'config get',
  arguments: '[--config-dir DIR] SECTION.OPTION',
  help: 'Print an option as the config file has it, such as post_get.password.',
  details: `Needs no running gateway, but the right to read the file. An option that is not set has the exit code ${errorTable.config_invalid.exit}.`,
  options: { 'config-dir': configDirectoryOption },
  count: [1, 1],
  async run(input, context) {
    const [, section = '', option = ''] = /^([A-Za-z0-9_]+)\.([A-Za-z0-9_]+)$/.exec(input.words[0] ?? '') ?? [];
    if (option === '') throw new UsageError(`got ${JSON.stringify(input.words[0])}, wanted SECTION.OPTION`);
    const { loadPackage, UciError } = await import('../../config/uci-parse-lite/index.ts');
    const directory = configDirectory(input);
    const file = await loadPackage(directory, 'sms_gateway').catch((error: unknown) => {
      if (!(error instanceof UciError)) throw error;
      throw new GatewayError('config_invalid', `${directory}/sms_gateway: ${error.reason}`);
    });
    const value = file?.section(section)?.options.get(option)?.value;
    if (value === undefined) {
      throw new GatewayError('config_invalid', `${directory}/sms_gateway does not set ${section}.${option}`);
    }
    context.show({ value }, () => (typeof value === 'string' ? value : value.join('\n')));
    return 0;
  },
};
