import { describeError } from '../../base/errors.ts';
import { isJsonObject, type JsonObject } from '../../base/json.ts';
import { counted } from '../../base/printable.ts';
import type { Command, CommandContext } from '../command.ts';
import {
  cell,
  columns,
  faultLines,
  fieldRows,
  lockOutTexts,
  type ShowTime,
  table,
  tables,
  warningLines,
} from '../layout.ts';
import { failureStates } from './listen.ts';
import { modemTable } from './modems.ts';

export const status: Command = {
  name: 'status',
  arguments: '[--check]',
  help: 'Show the state of modems, modules, queue and store, and faults of the config.',
  details:
    '--check prints one line for a monitor, and exits as Nagios plugins do: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.',
  options: { check: { help: 'One line for a monitor.' } },
  count: [0, 0],
  async run(input, context) {
    if (input.flag('check')) return check(context);
    context.show(await (await context.client()).call('sms_gateway', 'status'), render);
    return 0;
  },
};

const words = ['OK', 'WARNING', 'CRITICAL', 'UNKNOWN'] as const;

/** One line and an exit code as the guidelines of the Monitoring Plugins have them. */
async function check(context: CommandContext): Promise<number> {
  let code: 0 | 1 | 2 | 3 = 0;
  let problems: readonly string[] = [];
  let figures = '';
  try {
    const client = await context.client();
    const health = await client.call('sms_gateway', 'health');
    const status = await client.call('sms_gateway', 'status');
    const errors = tables(status['config_errors']).filter(({ severity }) => severity === 'error');
    const found = Array.isArray(health['problems']) ? health['problems'].map(cell) : [];
    problems = [...found, ...(errors.length === 0 ? [] : [`${counted(errors.length, 'error')} in the config`])];
    if (health['healthy'] !== true) code = 2;
    else if (problems.length > 0) code = 1;
    const queue = table(status['queue']);
    // For a monitor all are one: the message did not arrive, or nobody knows that it did.
    const failed = failureStates.reduce((sum, state) => sum + Number(queue[state] ?? 0), 0);
    figures = ` | queued=${cell(queue['queued'] ?? 0)} sending=${cell(queue['sending'] ?? 0)} failed=${failed}`;
  } catch (error) {
    code = 3;
    problems = [describeError(error)];
  }
  // A bar begins the figures.
  const text = problems.join('; ').replaceAll('|', '/') || 'a modem is ready, and the store works';
  context.show({ status: words[code], problems }, () => `SMS ${words[code]} - ${text}${figures}`);
  return code;
}

function render(result: JsonObject, showTime: ShowTime): string {
  const uptime = Number(result['uptime']);
  const hours = `${Math.floor(uptime / 3600)} h ${Math.floor((uptime % 3600) / 60)} min`;
  const sections = [
    `sms_gateway ${cell(result['version'])}, up ${hours}`,
    modemTable(result),
    moduleTable(result, showTime),
    pairs('QUEUE', withoutZeros(table(result['queue'])), showTime),
    waiting(table(result['oldest']), showTime),
    fullInbox(result),
    pairs('STORE', withoutZeros(table(result['store'])), showTime),
    lockOuts(table(result['doors'])),
    faultLines(result['config_errors']),
    warningLines(result['warnings']),
  ];
  return sections.filter((section) => section !== '').join('\n\n');
}

function moduleTable({ modules }: JsonObject, showTime: ShowTime): string {
  const rows = tables(modules).map((m) => [
    m['name'],
    m['state'],
    showTime(m['since']),
    m['pending'],
    failure(m, showTime),
  ]);
  return rows.length === 0 ? '' : columns([['MODULE', 'STATE', 'SINCE', 'PENDING', 'ERROR'], ...rows]);
}

/** The error, since when where that differs from the time of the state, and when it is tried again. */
function failure({ error, since, error_since, next_try }: JsonObject, showTime: ShowTime): string {
  const times = [
    ...(error_since === undefined || error_since === since ? [] : [`since ${showTime(error_since)}`]),
    ...(next_try === undefined ? [] : [`next try ${showTime(next_try)}`]),
  ];
  return error === undefined ? '' : `${cell(error)}${times.length === 0 ? '' : ` (${times.join(', ')})`}`;
}

/** The message that waits longest, and why. */
function waiting({ id, number, time, due = time, error }: JsonObject, showTime: ShowTime): string {
  if (id === undefined) return '';
  if (Date.parse(String(due)) > Date.now()) return `Next: message ${cell(id)} to ${cell(number)}, at ${showTime(due)}`;
  const why = error === undefined ? 'its turn comes' : cell(error);
  return `Waits longest: message ${cell(id)} to ${cell(number)}, since ${showTime(due)}: ${why}`;
}

/** Messages that a full inbox leaves on the SIM or modem. */
function fullInbox(result: JsonObject): string {
  const { used, total } = table(table(result['store'])['inbox']);
  if (typeof used !== 'number' || typeof total !== 'number' || used < total) return '';
  const held = tables(result['modems']).map(
    ({ name, storage }) => `${cell(table(storage)['used'] ?? 0)} on ${cell(name)}`,
  );
  return `The inbox is full, messages wait: ${held.join(', ')}. Delete some: smsgw delete --read`;
}

/** Of each door how many addresses it does not let in for their wrong logins. */
const lockOuts = (doors: JsonObject): string =>
  lockOutTexts(doors)
    .map((text) => `Locked out: ${text}. The log says whom, and for how long.`)
    .join('\n');

/** Zeros need not be read; but `used` and `total` say how much room there is. */
const withoutZeros = (fields: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(fields)
      .filter(([name, value]) => value !== 0 || name === 'used')
      .map(([name, value]) => [name, isJsonObject(value) ? withoutZeros(value) : value]),
  );

function pairs(title: string, fields: JsonObject, showTime: ShowTime): string {
  const rows = fieldRows(fields, showTime);
  return rows.length === 0 ? '' : columns([[title], ...rows]);
}
