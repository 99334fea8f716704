import { join } from 'node:path';
import { errorTable } from '../../base/errors.ts';
import type { Command } from '../command.ts';
import { faultLines } from '../fault-lines.ts';

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
