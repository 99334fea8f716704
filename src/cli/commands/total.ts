import type { Command } from '../command.ts';
import { cell } from '../layout.ts';

export const total: Command = {
  name: 'total',
  arguments: '',
  help: 'Count the received messages.',
  options: {},
  count: [0, 0],
  async run(_input, context) {
    const result = await (await context.client()).call('sms_gateway.message', 'total');
    context.show(result, (r) => `${cell(r['used'])} of ${cell(r['total'])} messages, ${cell(r['unread'])} unread`);
    return 0;
  },
};
