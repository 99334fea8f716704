import type { JsonObject } from '../../base/json.ts';
import { tables } from '../answer.ts';
import type { Command } from '../command.ts';
import { cell, columns } from '../layout.ts';

export const modems: Command = {
  name: 'modems',
  arguments: '',
  help: 'List the modems.',
  options: {},
  count: [0, 0],
  async run(_input, context) {
    context.show(await (await context.client()).call('sms_gateway.modem', 'list'), modemTable);
    return 0;
  },
};

/** The field `modems` of an answer. */
export function modemTable({ modems }: JsonObject): string {
  const rows = tables(modems).map((m) => [
    m['name'],
    m['state'],
    m['signal'] === undefined ? '' : `${cell(m['signal'])} dBm`,
    m['operator'],
    m['device'],
    m['error'],
  ]);
  return rows.length === 0
    ? 'No modems.'
    : columns([['MODEM', 'STATE', 'SIGNAL', 'OPERATOR', 'DEVICE', 'ERROR'], ...rows]);
}
