import type { Command } from '../command.ts';
import { readInteger } from '../input.ts';

export const deleteMessages: Command = {
  name: 'delete',
  arguments: 'ID...',
  help: 'Delete messages.',
  details: 'Stops at the first that cannot be deleted.',
  options: {},
  count: [1, Number.POSITIVE_INFINITY],
  async run({ words }, context) {
    const ids = words.map((word) => readInteger('ID', word));
    const client = await context.client();
    for (const id of ids) {
      context.show(await client.call('sms_gateway.message', 'delete', { id }), () => `${id} deleted`);
    }
    return 0;
  },
};
