import type { JsonObject } from '../../base/json.ts';
import type { Command } from '../command.ts';
import { cell, columns, faultLines, localTime, table, tables } from '../layout.ts';
import { modemTable } from './modems.ts';

export const status: Command = {
  name: 'status',
  arguments: '',
  help: 'Show the state of modems, modules, queue and store, and faults of the config.',
  options: {},
  count: [0, 0],
  async run(_input, context) {
    context.show(await (await context.client()).call('sms_gateway', 'status'), render);
    return 0;
  },
};

function render(result: JsonObject): string {
  const uptime = Number(result['uptime']);
  const hours = `${Math.floor(uptime / 3600)} h ${Math.floor((uptime % 3600) / 60)} min`;
  const sections = [
    `sms_gateway ${cell(result['version'])}, up ${hours}`,
    modemTable(result),
    moduleTable(result),
    pairs('QUEUE', table(result['queue'])),
    pairs('STORE', table(result['store'])),
    faultLines(result['config_errors']),
  ];
  return sections.filter((section) => section !== '').join('\n\n');
}

function moduleTable({ modules }: JsonObject): string {
  const rows = tables(modules).map((m) => [m['name'], m['state'], localTime(m['since']), m['pending'], failure(m)]);
  return rows.length === 0 ? '' : columns([['MODULE', 'STATE', 'SINCE', 'PENDING', 'ERROR'], ...rows]);
}

/** The error, with its time when that differs from the time of the state. */
function failure({ error, since, error_since }: JsonObject): string {
  const sinceWhen = error_since === undefined || error_since === since ? '' : ` (since ${localTime(error_since)})`;
  return error === undefined ? '' : `${cell(error)}${sinceWhen}`;
}

function pairs(title: string, fields: JsonObject): string {
  return columns([[title], ...Object.entries(fields).map(([name, value]) => [name, value])]);
}
