import type { JsonObject } from '../../base/json.ts';
import { printableLines } from '../../base/printable.ts';
import type { RpcClient } from '../client.ts';
import { type Command, UsageError } from '../command.ts';
import { cell, columns, tables } from '../layout.ts';

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
  throw new UsageError(names.length === 0 ? 'there is no modem' : `which modem? --modem ${names.join('|')}`);
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
