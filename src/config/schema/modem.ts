import type { Repeated, Report, SectionConfig, SectionSchema } from './option.ts';

export const modem = {
  name: 'modem',
  label: 'Modem',
  help: 'One section for each modem. The name of the section is the name of the modem; unnamed ones are modem0, modem1 and so on.',
  options: {
    enabled: { type: 'boolean', default: true, label: 'Enable', help: 'Whether the gateway uses this modem.' },
    device: {
      type: 'string',
      maxLength: 255,
      pattern: /^(auto|sim|\/[!-~]+|tcp:\/\/([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5})$/,
      form: '"auto", "sim", a device path or tcp://host:port',
      default: 'auto',
      label: 'Device',
      help: 'Serial port of the modem, tcp://host:port of a serial-port server, "auto" to look for one, or "sim" for the built-in simulator.',
    },
    sim_answer: {
      type: 'boolean',
      default: false,
      label: 'Simulated subscriber answers',
      help: 'With the device "sim": every recipient answers a message after a second, but at most ten within an hour.',
    },
    baudrate: {
      type: 'integer',
      min: 300,
      max: 4_000_000,
      unit: 'bit/s',
      default: 115_200,
      label: 'Baud rate',
      help: 'Speed of a real serial line in bit/s. USB modems ignore it.',
    },
    rtscts: {
      type: 'boolean',
      default: false,
      label: 'Hardware flow control',
      help: 'RTS/CTS on a real serial line.',
    },
    pin: {
      type: 'string',
      pattern: /^[0-9]{4,8}$/,
      form: '4 to 8 digits',
      secret: true,
      label: 'SIM PIN',
      help: 'Tried once. A wrong PIN is not tried again until this option changes.',
    },
    smsc: {
      type: 'phone',
      label: 'Service centre',
      help: 'Number of the SMS service centre. Empty: the one on the SIM.',
    },
    init: {
      type: 'list',
      of: { type: 'string', maxLength: 200, pattern: /^AT[ -~]*$/i, form: 'an AT command' },
      label: 'Further commands',
      help: 'AT commands to give after each start of the modem.',
    },
    storage: {
      type: 'enum',
      values: ['auto', 'SM', 'ME', 'MT'],
      default: 'auto',
      label: 'Message storage',
      help: 'Where received messages wait for the gateway: on the SIM (SM), in the modem (ME), both (MT). "auto" takes what the modem uses.',
    },
    delivery: {
      type: 'enum',
      values: ['store', 'direct', 'auto'],
      default: 'store',
      label: 'Delivery',
      help: 'How the modem hands over received messages: stored and announced ("store"), or passed on directly and acknowledged once they are safe ("direct"), for modems that store nowhere. "auto" stores, and changes to "direct" where that does not work.',
    },
    reports: {
      type: 'boolean',
      default: true,
      label: 'Delivery reports',
      help: 'Asks the network whether each message was delivered. Some networks charge for it.',
    },
    send_interval: {
      type: 'integer',
      min: 0,
      max: 3_600_000,
      unit: 'milliseconds',
      default: 500,
      label: 'Time between messages',
      help: 'Milliseconds from one sent part to the next, at least.',
    },
    daily_limit: {
      type: 'integer',
      min: 0,
      max: 1_000_000,
      unit: 'parts',
      default: 0,
      label: 'Daily limit',
      help: 'Parts sent a day, by the local calendar; what is more waits for the next day. 0: no limit.',
    },
    network_timeout: {
      type: 'integer',
      min: 0,
      max: 86_400,
      unit: 'seconds',
      default: 300,
      label: 'Network time-out',
      help: 'Seconds without a network after which the modem is initialised again. 0: never.',
    },
    sweep_interval: {
      type: 'integer',
      min: 10,
      max: 86_400,
      unit: 'seconds',
      default: 300,
      label: 'Look for messages every',
      help: 'Seconds between looks into the message storage, for messages that the modem did not announce.',
    },
    reset_command: {
      type: 'list',
      of: { type: 'string', maxLength: 255, pattern: /^[ -~]+$/, form: 'printable characters' },
      label: 'Reset command',
      help: 'Program that takes the modem off its power and on again, and its arguments, an entry each; run without a shell, when nothing else brings a hanging modem back.',
    },
    at_commands: {
      type: 'enum',
      values: ['read', 'all'],
      default: 'read',
      label: 'AT commands by hand',
      help: 'Which AT commands a person may give by smsgw at and RPC: those that only read ("read"), or any ("all"). After one that does not only read, the modem is set up again.',
    },
    watchdog: {
      type: 'integer',
      min: 5,
      max: 3600,
      unit: 'seconds',
      default: 30,
      label: 'Check the modem every',
      help: 'Seconds of silence after which the modem is asked whether it still answers; it also refreshes the signal strength.',
    },
  },
} as const satisfies SectionSchema;

/** Devices that any number of modems may have. */
const shared: ReadonlySet<string> = new Set(['auto', 'sim']);

export function checkModems({ modems }: { modems: readonly Repeated<SectionConfig<typeof modem>>[] }, report: Report) {
  const users = new Map<string, string>();
  for (const modem of modems) {
    const { section, device, enabled } = modem;
    const port = Number(/^tcp:.*:([0-9]+)$/.exec(device)?.[1] ?? 1);
    if (port < 1 || port > 65_535) report.error(modem, 'device', `${port} is not a port from 1 to 65535`);
    if (!enabled || shared.has(device)) continue;
    const user = users.get(device);
    if (user !== undefined) report.error(modem, 'device', `${device} is the device of ${user} already`);
    users.set(device, section);
  }
}
