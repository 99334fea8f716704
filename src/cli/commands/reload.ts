import { errorTable } from '../../base/errors.ts';
import { tables } from '../answer.ts';
import type { Command } from '../command.ts';
import { faultLines } from '../fault-lines.ts';
import { cell } from '../layout.ts';

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
