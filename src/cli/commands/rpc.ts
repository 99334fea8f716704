import { didYouMean } from '../../base/closest.ts';
import { GatewayError } from '../../base/errors.ts';
import { isJsonObject, type JsonObject } from '../../base/json.ts';
import { printableLines } from '../../base/printable.ts';
import type { PublicEvent } from '../../rpc/events.ts';
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

const events: Readonly<Record<PublicEvent, true>> = {
  'sms.received': true,
  'sms.sent': true,
  'sms.delivered': true,
  'sms.failed': true,
  'limit.reached': true,
  'modem.state': true,
  'module.state': true,
  'call.incoming': true,
  'ussd.received': true,
  'config.changed': true,
};
const eventNames = Object.keys(events);

export const metrics: Command = {
  name: 'metrics',
  arguments: '',
  help: "Print the metrics in Prometheus' text format, for the textfile collector of its node exporter.",
  options: {},
  count: [0, 0],
  async run(_input, context) {
    const result = await (await context.client()).call('sms_gateway', 'metrics');
    context.show(result, ({ text }) => printableLines(String(text ?? '').trimEnd()));
    return 0;
  },
};

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
    for (const word of words) {
      const isKnown = word.endsWith('*')
        ? eventNames.some((name) => name.startsWith(word.slice(0, -1)))
        : eventNames.some((name) => name === word);
      if (!isKnown) throw new UsageError(`no event ${JSON.stringify(word)}${didYouMean(word, eventNames)}`);
    }
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
  const what =
    number === undefined
      ? [name, state, sections, error]
      : [...(id === undefined ? [] : [`#${id}`]), number, state, error ?? text];
  return [localTime(new Date().toISOString()), cell(event), ...what.map(cell)].filter((word) => word !== '').join('  ');
}
