import { isoTime } from '../../base/clock.ts';
import { GatewayError } from '../../base/errors.ts';
import { refusingText } from '../../sms/index.ts';
import { type Argument, clip, implement, type RpcObject, type Signatures } from '../method.ts';

/** A message that a simulated modem sent. */
export interface SimulatedSent {
  readonly to: string;
  readonly text: string;
  readonly parts: number;
  /** ms since the epoch. */
  readonly time: number;
}

/** What a simulated modem offers to whoever plays the rest of the world. */
export interface SimulatorControl {
  /** Throws SmsError, GatewayError queue_full. */
  receive(message: { readonly from: string; readonly text: string }): void;
  /** Oldest first. */
  sent(): readonly SimulatedSent[];
}

const modem = {
  type: 'string',
  help: 'Name of the modem section; default the first simulated one.',
} as const satisfies Argument;

export const simulatorSignatures = {
  receive: {
    help: 'Lets an SMS arrive at a simulated modem.',
    args: {
      from: {
        type: 'string',
        required: true,
        range: [1, 32],
        help: 'Sender: a number, or a name of up to 11 characters.',
      },
      text: { type: 'string', required: true, help: 'Long texts come in parts.' },
      modem,
    },
    result: { modem: 'The modem that it arrives at.' },
  },
  sent: {
    help: 'Lists the last messages that a simulated modem sent, oldest first.',
    args: { modem, limit: { type: 'integer', range: [1, 1000], help: 'At most this many; default 100.' } },
    result: { messages: 'Array of `to`, `text`, `parts`, `time`.' },
  },
} as const satisfies Signatures;

/** `sms_gateway.simulator`, present while a simulated modem is configured. `simulators` are by modem section. */
export function simulatorObject(simulators: ReadonlyMap<string, SimulatorControl>): RpcObject {
  const find = (wanted: string | undefined): readonly [string, SimulatorControl] => {
    for (const [name, simulator] of simulators) if (wanted === undefined || wanted === name) return [name, simulator];
    const which = wanted === undefined ? '' : ` ${clip(wanted)}`;
    throw new GatewayError('modem_not_found', `no simulated modem${which}`);
  };
  return implement('sms_gateway.simulator', simulatorSignatures, {
    async receive({ from, text, modem }) {
      const [name, simulator] = find(modem);
      refusingText(() => simulator.receive({ from, text }));
      return { modem: name };
    },
    async sent({ modem, limit = 100 }) {
      const [, simulator] = find(modem);
      const last = simulator.sent().slice(-limit);
      return { messages: last.map(({ to, text, parts, time }) => ({ to, text, parts, time: isoTime(time) })) };
    },
  });
}
