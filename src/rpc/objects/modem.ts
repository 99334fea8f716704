import { isoTime } from '../../base/clock.ts';
import { GatewayError } from '../../base/errors.ts';
import type { JsonObject } from '../../base/json.ts';
import type { AtAnswer } from '../../modem/at-by-hand.ts';
import { usbPorts } from '../../modem/port/open-port.ts';
import type { ModemStatus } from '../../modem/status.ts';
import { type Argument, clip, implement, type RpcObject, type Signatures } from '../method.ts';

/** A modem as the namespace needs it. */
export interface ModemControl {
  readonly name: string;
  status(): ModemStatus;
  /** Closes the port and opens it again. */
  restart(): void;
  /** Sends a USSD code and resolves to what the network answered. Throws GatewayError. */
  ussd(code: string, signal: AbortSignal): Promise<string>;
  /** Gives one AT command. Throws GatewayError. */
  at(command: string, signal: AbortSignal): Promise<AtAnswer>;
}

export interface ModemDirectory {
  list(): readonly ModemControl[];
  find(name: string): ModemControl | undefined;
  /** Parts that it has sent on this day of the local calendar, and how many it may; 0 for any number. */
  today(name: string): { readonly sent: number; readonly limit: number };
}

const modem = { type: 'string', required: true, help: 'Name of the modem section.' } as const satisfies Argument;

const status = {
  name: 'Name of the modem section.',
  state:
    '`opening`, `probing`, `no_sim`, `pin_required`, `pin_wrong`, `puk_required`, `setting_up`, `registering`, `denied`, `ready`, `hung` or `stopped`; only `ready` sends and receives.',
  since: 'When it came to this state.',
  device: 'The port.',
  manufacturer: 'Also `model`, `revision`, `imei`, `imsi`, `iccid`, `number`, as far as known.',
  operator: 'Name of the network.',
  technology: '`2G`, `3G`, `4G`, `5G` or `NB-IoT`, where the modem says it.',
  registration: '`home`, `roaming`, `searching`, `denied` or `none`.',
  signal: 'Received signal in dBm.',
  storage: 'Message storage: `name`, `used`, `total`.',
  sent_today: 'Parts sent on this day of the local calendar.',
  daily_limit: 'Parts that it may send on a day; absent without a limit. These two are not in the event.',
  sent: 'Parts sent; likewise `received` and `errors`.',
  reopened: 'How often the port was opened again.',
  error: 'What is wrong now.',
  recovery:
    'While it hangs or has no SIM: the next step to bring it back, `radio_cycle`, `restart` or `reset_command`, with `in`, the seconds until then.',
  warning: 'What to look at although the modem works.',
} as const;

export const modemSignatures = {
  list: {
    help: 'Lists the modems.',
    args: {},
    result: {
      modems: 'Array of modems, with the fields of `status`.',
      ports: 'Array of paths: the USB serial ports of this machine, for the option `device`.',
    },
  },
  status: { help: 'Returns the state of one modem.', args: { modem }, result: status },
  ussd: {
    help: 'Sends a USSD code and returns the answer of the network.',
    args: { modem, code: { type: 'string', required: true, range: [1, 182], help: 'Such as `*100#`.' } },
    result: { answer: 'The text that the network answered.' },
  },
  at: {
    help: 'Gives one AT command. Those that only read are allowed; any with the option `at_commands` of the modem on `all`, and the modem is set up again after one that does not only read.',
    args: { modem, command: { type: 'string', required: true, range: [2, 252], help: 'Such as `AT+CSQ`.' } },
    result: { lines: 'Array of the lines of the answer.', result: '`OK`, or the error that the modem gave.' },
  },
  restart: {
    help: 'Takes the modem down and up again. Messages stay queued.',
    args: { modem },
    result: { modem: 'The modem.', state: 'The state it has now.' },
  },
} as const satisfies Signatures;

export const modemFields = (status: ModemStatus): JsonObject => ({ ...status, since: isoTime(status.since) });

/** What `list` and `status` show of a modem. */
export function modemAnswer(modems: ModemDirectory, modem: ModemControl): JsonObject {
  const { sent, limit } = modems.today(modem.name);
  return { ...modemFields(modem.status()), sent_today: sent, ...(limit > 0 && { daily_limit: limit }) };
}

/** `sms_gateway.modem`. */
export function modemObject(modems: ModemDirectory): RpcObject {
  const find = (name: string): ModemControl => {
    const found = modems.find(name);
    if (found !== undefined) return found;
    const known = modems.list().map((known) => known.name);
    throw new GatewayError('modem_not_found', `no modem ${clip(name)}; there are: ${known.join(', ') || 'none'}`);
  };
  return implement('sms_gateway.modem', modemSignatures, {
    list: async () => ({
      modems: modems.list().map((known) => modemAnswer(modems, known)),
      ports: await usbPorts(),
    }),
    status: async ({ modem }) => modemAnswer(modems, find(modem)),
    async ussd({ modem, code }, { signal }) {
      const found = find(modem);
      if (!/^[0-9*#+]+$/.test(code)) {
        throw new GatewayError('invalid_argument', `argument code: got ${clip(code)}, wanted digits, *, # and +`);
      }
      return { answer: await found.ussd(code, signal) };
    },
    async at({ modem, command }, { signal }) {
      const { lines, result } = await find(modem).at(command, signal);
      return { lines, result };
    },
    async restart({ modem }) {
      const found = find(modem);
      found.restart();
      return { modem, state: found.status().state };
    },
  });
}
