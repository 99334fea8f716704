import { GatewayError } from '../../base/errors.ts';
import { isJsonObject, type JsonObject } from '../../base/json.ts';
import type { Command } from '../command.ts';
import { cell, localTime } from '../layout.ts';

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
      context.show({ event: name, payload }, render);
    }
    throw new GatewayError('connection_failed', 'the gateway closed the connection');
  },
};

function render({ event, payload }: JsonObject): string {
  const fields = isJsonObject(payload) ? payload : {};
  const { number, text, id, state, name, error, sections } = fields;
  const what = number === undefined ? [name, state, sections, error] : [`#${id}`, number, state, error ?? text];
  return [localTime(new Date().toISOString()), cell(event), ...what.map(cell)].filter((word) => word !== '').join('  ');
}
