import type { JsonObject } from '../../base/json.ts';
import { printableLines } from '../../base/printable.ts';
import type { Command } from '../command.ts';
import { readInteger } from '../input.ts';
import { columns, localTime, shownText } from '../layout.ts';

export const read: Command = {
  name: 'read',
  arguments: '[--keep-unread] ID',
  help: 'Print one message and mark it as read.',
  options: { 'keep-unread': { help: 'Do not mark it as read.' } },
  count: [1, 1],
  async run(input, context) {
    const args = { id: readInteger('ID', input.words[0] ?? ''), mark: !input.flag('keep-unread') };
    context.show(await (await context.client()).call('sms_gateway.message', 'read', args), render);
    return 0;
  },
};

function render(message: JsonObject): string {
  const rows = [
    [message['box'] === 'inbox' ? 'From' : 'To', message['number']],
    ['Time', localTime(message['time'])],
    ['State', message['state']],
    ['Modem', message['modem']],
    ['Parts', message['parts']],
    ['Error', message['error']],
  ];
  const head = columns(rows.filter(([, value]) => value !== undefined).map(([name, value]) => [`${name}:`, value]));
  return `${head}\n\n${printableLines(shownText(message))}`;
}
