import { GatewayError } from '../../base/errors.ts';
import { isJsonObject, type JsonObject } from '../../base/json.ts';
import { printableLines } from '../../base/printable.ts';
import { type Command, UsageError } from '../command.ts';
import { cell, localTime } from '../layout.ts';

/** Deadline, ms: `send` may wait 300 s. */
const ANSWER_MS = 330_000;

export const call: Command = {
  name: 'call',
  arguments: 'OBJECT METHOD [JSON]',
  help: 'Call any method of the gateway.',
  details: `Such as: smsgw call sms_gateway.modem status '{"modem":"gsm0"}'`,
  options: {},
  count: [2, 3],
  async run({ words: [object = '', method = '', json = '{}'] }, context) {
    const args = parseArguments(json);
    const result = await (await context.client()).call(object, method, args, ANSWER_MS);
    context.show(result, (table) => printableLines(JSON.stringify(table, undefined, 2)));
    return 0;
  },
};

function parseArguments(json: string): JsonObject {
  try {
    const value: unknown = JSON.parse(json);
    if (isJsonObject(value)) return value;
  } catch {
    // The error is thrown below.
  }
  throw new UsageError('JSON: wanted one table, such as {"id":1}');
}

export const listen: Command = {
  name: 'listen',
  arguments: '[PATTERN...]',
  help: 'Print events as they happen, until interrupted.',
  details: `Events are sms.received, sms.sent, sms.delivered, sms.failed, modem.state, module.state,
call.incoming, ussd.received, config.changed.
A PATTERN may end with *; without one, every event is printed.`,
  options: {},
  count: [0, 16],
  async run({ words }, context) {
    const client = await context.client();
    for await (const { name, payload } of client.events(words.length === 0 ? ['*'] : words)) {
      context.show({ event: name, payload }, eventLine);
    }
    throw new GatewayError('connection_failed', 'the gateway closed the connection');
  },
};

function eventLine({ event, payload }: JsonObject): string {
  const fields = isJsonObject(payload) ? payload : {};
  const { number, text, id, state, name, error, sections } = fields;
  const what = number === undefined ? [name, state, sections, error] : [`#${id}`, number, state, error ?? text];
  return [localTime(new Date().toISOString()), cell(event), ...what.map(cell)].filter((word) => word !== '').join('  ');
}
