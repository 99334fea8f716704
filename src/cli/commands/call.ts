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
    const args = parse(json);
    const result = await (await context.client()).call(object, method, args, ANSWER_MS);
    context.show(result, (table) => printableLines(JSON.stringify(table, undefined, 2)));
    return 0;
  },
};

function parse(json: string): JsonObject {
  try {
    const value: unknown = JSON.parse(json);
    if (isJsonObject(value)) return value;
  } catch {
    // The error is thrown below.
  }
  throw new UsageError('JSON: wanted one table, such as {"id":1}');
}
