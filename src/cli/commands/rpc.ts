import { isJsonObject, type JsonObject } from '../../base/json.ts';
import { printableLines } from '../../base/printable.ts';
import { type Command, UsageError } from '../command.ts';

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
