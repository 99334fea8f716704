import { GatewayError } from '../../base/errors.ts';
import { isJsonObject, type JsonObject } from '../../base/json.ts';
import { printable, printableLines } from '../../base/printable.ts';
import type { RpcClient } from '../client.ts';
import { type Command, UsageError } from '../command.ts';
import { cell, columns, fieldRows, type ShowTime, signalText, table, tables } from '../layout.ts';

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

const pairs = (answer: JsonObject, time: ShowTime): string =>
  columns(fieldRows(answer, time).map(([name, value]) => [`${name}:`, value]));

export const modemStatus: Command = {
  name: 'modem status',
  arguments: '[NAME]',
  help: 'Show everything known of a modem.',
  options: {},
  count: [0, 1],
  async run({ words }, context) {
    const client = await context.client();
    const modem = words[0] ?? (await onlyModem(client));
    context.show(await client.call('sms_gateway.modem', 'status', { modem }), (answer, time) =>
      pairs(withUnits(answer), time),
    );
    return 0;
  },
};

/** Figures of a modem as people read them: -71 dBm, and the next step to bring it back in 30 s. */
function withUnits(modem: JsonObject): JsonObject {
  const { signal, recovery } = modem;
  const step = isJsonObject(recovery) && recovery['in'] !== undefined ? recovery : undefined;
  return {
    ...modem,
    ...(signal !== undefined && { signal: signalText(signal) }),
    ...(step !== undefined && { recovery: { ...step, in: `${cell(step['in'])} s` } }),
  };
}

export const moduleStatus: Command = {
  name: 'module status',
  arguments: 'NAME',
  help: 'Show the state of one function.',
  options: {},
  count: [1, 1],
  async run({ words: [module = ''] }, context) {
    context.show(await (await context.client()).call('sms_gateway.module', 'status', { module }), pairs);
    return 0;
  },
};

export const modemRestart: Command = {
  name: 'modem restart',
  arguments: '[NAME]',
  help: 'Take a modem down and up again. Messages stay queued.',
  options: {},
  count: [0, 1],
  async run({ words }, context) {
    const client = await context.client();
    const modem = words[0] ?? (await onlyModem(client));
    context.show(await client.call('sms_gateway.modem', 'restart', { modem }), (r) => `${modem} ${cell(r['state'])}`);
    return 0;
  },
};

/** A module may take 30 s to start, and a test as long as its server, ms. */
const MODULE_MS = 120_000;

/** What a line about a target begins with whose test failed. */
const FAILED = 'failed: ';

export const moduleTest: Command = {
  name: 'module test',
  arguments: 'NAME',
  help: 'Try the connection of a function once: a login, a test mail, a test request.',
  options: {},
  count: [1, 1],
  async run(input, context) {
    const [module = ''] = input.words;
    const client = await context.client();
    try {
      const result = await client.call('sms_gateway.module', 'test', { module }, MODULE_MS);
      context.show(result, (r) => printableLines(String(r['message'])));
      return 0;
    } catch (error) {
      if (!(error instanceof GatewayError) || input.flag('json')) throw error;
      // Of several targets some may be well.
      const lines = error.message.split('\n');
      const bad = lines.filter((line) => line.startsWith(FAILED));
      if (bad.length === 0) throw error;
      const good = lines.filter((line) => !line.startsWith(FAILED));
      if (good.length > 0) context.show({}, () => good.map(printable).join('\n'));
      throw new GatewayError(error.code, bad.join('\n'));
    }
  },
};

export const moduleRestart: Command = {
  name: 'module restart',
  arguments: 'NAME',
  help: 'Stop and start one function; the others notice nothing.',
  options: {},
  count: [1, 1],
  async run({ words: [module = ''] }, context) {
    const client = await context.client();
    const result = await client.call('sms_gateway.module', 'restart', { module }, MODULE_MS);
    context.show(result, (r) => [module, r['state'], r['error']].map(cell).join(' ').trimEnd());
    return 0;
  },
};

/** The field `modems` of an answer. */
export function modemTable({ modems }: JsonObject): string {
  const all = tables(modems);
  const storages = all.some(({ storage }) => storage !== undefined);
  const rows = all.map((m) => [
    m['name'],
    m['state'],
    signalText(m['signal']),
    m['operator'],
    ...(storages ? [storageOf(m)] : []),
    m['device'],
    m['error'] ?? m['warning'],
  ]);
  return rows.length === 0
    ? 'No modems.'
    : columns([['MODEM', 'STATE', 'SIGNAL', 'OPERATOR', ...(storages ? ['STORAGE'] : []), 'DEVICE', 'ERROR'], ...rows]);
}

/** How full its message storage is: `SM 3/20`. */
function storageOf({ storage }: JsonObject): string {
  const { name, used, total } = table(storage);
  return name === undefined ? '' : `${cell(name)} ${cell(used)}/${cell(total)}`;
}

/** Networks and modems may take a minute to answer, and a command waits behind others, ms. */
const ANSWER_MS = 120_000;

export const ussd: Command = {
  name: 'ussd',
  arguments: '[--modem NAME] CODE',
  help: 'Send a USSD code, such as *100#, and print what the network answers.',
  options: { modem: { value: 'NAME', help: 'The modem; needed when there are several.' } },
  count: [1, 1],
  async run(input, context) {
    const client = await context.client();
    const modem = input.text('modem') ?? (await onlyModem(client));
    const result = await client.call('sms_gateway.modem', 'ussd', { modem, code: input.words[0] }, ANSWER_MS);
    context.show(result, ({ answer }) => printableLines(String(answer ?? '')));
    return 0;
  },
};

async function onlyModem(client: RpcClient): Promise<string> {
  const { modems } = await client.call('sms_gateway.modem', 'list');
  const names = tables(modems).map(({ name }) => String(name));
  const [name] = names;
  if (name !== undefined && names.length === 1) return name;
  if (names.length === 0) throw new GatewayError('modem_not_found', 'there is no modem');
  throw new UsageError(`which modem? --modem ${names.join('|')}`);
}

export const at: Command = {
  name: 'at',
  arguments: '[--modem NAME] COMMAND',
  help: 'Give a modem one AT command, such as AT+CSQ, and print its answer.',
  details: 'Commands that only read are allowed; the option at_commands "all" of the modem allows every one.',
  options: { modem: { value: 'NAME', help: 'The modem; needed when there are several.' } },
  count: [1, 1],
  async run(input, context) {
    const client = await context.client();
    const modem = input.text('modem') ?? (await onlyModem(client));
    const answer = await client.call('sms_gateway.modem', 'at', { modem, command: input.words[0] }, ANSWER_MS);
    context.show(answer, ({ lines, result }) =>
      printableLines([...(Array.isArray(lines) ? lines : []), result].map(String).join('\n')),
    );
    return answer['result'] === 'OK' ? 0 : 1;
  },
};
