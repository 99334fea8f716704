import { join } from 'node:path';
import { errorTable } from '../../base/errors.ts';
import type { Command } from '../command.ts';
import { cell, faultLines, tables } from '../layout.ts';

export const reload: Command = {
  name: 'reload',
  arguments: '',
  help: 'Read the config again.',
  details: 'The exit code tells whether it has errors.',
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

export const configCheck: Command = {
  name: 'config check',
  arguments: '[--config-dir DIR]',
  help: 'Check the config without a running gateway.',
  details: 'The exit code tells whether it has errors.',
  options: { 'config-dir': { value: 'DIR', help: 'Where the file sms_gateway lies; default /etc/config.' } },
  count: [0, 0],
  async run(input, context) {
    // The schema is only needed here.
    const { loadConfig, PACKAGE } = await import('../../config/load-config.ts');
    const directory = input.text('config-dir') ?? '/etc/config';
    const { errors } = await loadConfig(directory);
    const faults = errors.map((error) => ({ ...error }));
    const fine = `${join(directory, PACKAGE)} is fine.`;
    context.show({ config_errors: faults }, (r) => faultLines(r['config_errors']) || fine);
    return errors.some(({ severity }) => severity === 'error') ? errorTable.config_invalid.exit : 0;
  },
};
