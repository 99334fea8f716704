import type { OptionRow, SectionSchema } from './option.ts';
import { sendingModem } from './shared-rows.ts';

/** Actions of rules that this gateway carries out, and whether they can change the system. */
export const ruleActions = {
  reboot: { changesSystem: true },
  send_status: { changesSystem: false },
  ubus: { changesSystem: true },
  command: { changesSystem: true },
  send_sms: { changesSystem: false },
  switch_modem: { changesSystem: true },
} as const;

export type OwnAction = keyof typeof ruleActions;
export const isOwnAction = (action: string): action is OwnAction => Object.hasOwn(ruleActions, action);

/** Actions of the original's hardware and firmware; a rule with one is kept and shown, and does nothing here. */
export const foreignActions = [
  'iostatus',
  'vpnstatus',
  'wifi',
  'mobile',
  'vpn',
  'change_mobile_settings',
  'list_of_profile',
  'change_profile',
  'ssh_access',
  'web_access',
  'firstboot',
  'get_configure',
  'set_configure',
  'switch_sim',
  'gps_coordinates',
  'gps',
  'fw_upgrade',
  'monitoring',
  'monitoring_status',
  'uci',
  'more',
  'dout',
  'wol',
] as const;

/** An option that only serves an action of the original; read so that its files pass, and nothing more. */
const foreign = (label: string) =>
  ({ original: true, label, help: 'For an action of the original that this gateway does not have.' }) as const;
const foreignFlag = (label: string) =>
  ({ type: 'boolean', default: false, ...foreign(label) }) as const satisfies OptionRow;

export const rule = {
  name: 'rule',
  label: 'SMS Utilities rule',
  help: 'What a received message of a certain text makes the gateway do. One section a rule.',
  options: {
    enabled: { type: 'boolean', default: false, original: true, label: 'Enable', help: 'Turns the rule on or off.' },
    action: {
      type: 'enum',
      values: ['reboot', 'send_status', 'ubus', 'command', 'send_sms', 'switch_modem', ...foreignActions],
      needed: true,
      original: true,
      label: 'Action',
      help: 'What to do: restart the router, answer with its status, make a ubus call, run a command section, send an SMS, or make another modem the one that sends. The others are those of the original, which this gateway does not carry out.',
    },
    smstext: {
      type: 'string',
      minLength: 1,
      maxLength: 160,
      needed: true,
      original: true,
      label: 'SMS text',
      help: 'Text of the message, upper or lower case, behind the password or serial number where the rule asks for one.',
    },
    match: {
      type: 'enum',
      values: ['exact', 'prefix'],
      default: 'exact',
      label: 'Match',
      help: 'Whether the message is this text, or begins with it.',
    },
    authorisation: {
      type: 'enum',
      values: ['no', 'serial', 'password'],
      default: 'password',
      original: true,
      label: 'Authorisation',
      help: 'What the message must begin with: nothing, the serial number, or the password. Rules that can change the system need one.',
    },
    allowed_phone: {
      type: 'enum',
      values: ['all', 'group', 'single'],
      default: 'all',
      original: true,
      label: 'Allowed users',
      help: 'Who may trigger the rule. The sender of an SMS can be forged.',
    },
    tel: { type: 'phone', original: true, label: 'Allowed phone', help: 'The number that "single" means.' },
    group: {
      type: 'reference',
      to: 'group',
      when: { allowed_phone: ['group'], action: Object.keys(ruleActions) },
      original: true,
      label: 'Allowed group',
      help: 'Name of the phone group that "group" means.',
    },
    status_sms: {
      type: 'boolean',
      default: false,
      original: true,
      label: 'Status by SMS',
      help: 'With "reboot": sends the message text first.',
    },
    message: {
      type: 'string',
      maxLength: 2000,
      original: true,
      label: 'Message text',
      help: 'Text for "send_status", "send_sms" and the status of "reboot". Placeholders: %rn router name, %wi WAN address, %cs data connection state, %ct connection type, %ss signal strength, %fs new firmware, %sn number of the sender, %dt date and time; %% is a percent sign.',
    },
    to_other_phone: {
      type: 'boolean',
      default: false,
      original: true,
      label: 'Answer to another phone',
      help: 'Sends the answer to the numbers below in place of the sender.',
    },
    to_number: {
      type: 'list',
      of: { type: 'phone' },
      original: true,
      label: 'Other phones',
      help: 'Where answers go with "Answer to another phone", and where "send_sms" sends.',
    },
    reply: {
      type: 'boolean',
      default: true,
      label: 'Answer with the result',
      help: 'Sends what a call or command printed, or that it failed.',
    },
    max_parts: {
      type: 'integer',
      min: 1,
      max: 10,
      unit: 'parts',
      default: 3,
      label: 'Longest answer',
      help: 'SMS parts after which an answer is cut.',
    },
    max_age: {
      type: 'integer',
      min: 1,
      max: 720,
      unit: 'hours',
      default: 24,
      label: 'Oldest message',
      help: 'Messages that were sent longer ago are not obeyed: they may have waited in the network or on the SIM.',
    },
    max_per_hour: {
      type: 'integer',
      min: 1,
      max: 1000,
      unit: 'times',
      default: 20,
      label: 'Times an hour',
      help: 'How often one sender may trigger the rule within an hour. Two machines that answer each other stop here.',
    },
    object: {
      type: 'string',
      maxLength: 128,
      pattern: /^[A-Za-z0-9_.-]+$/,
      form: 'the name of a ubus object',
      label: 'ubus object',
      help: 'Object that "ubus" calls.',
    },
    method: {
      type: 'string',
      maxLength: 128,
      pattern: /^[A-Za-z0-9_.-]+$/,
      form: 'the name of a ubus method',
      label: 'ubus method',
      help: 'Method that "ubus" calls.',
    },
    args: {
      type: 'string',
      maxLength: 2000,
      label: 'ubus arguments',
      help: 'JSON object with the arguments. Empty: none.',
    },
    command: {
      type: 'reference',
      to: 'command',
      when: { action: ['command'] },
      label: 'Command',
      help: 'Name of the command section that "command" runs.',
    },
    modem: {
      ...sendingModem,
      help: 'Modem that "switch_modem" makes the one that sends; else the one that answers. Empty: any.',
    },
    value: { type: 'enum', values: ['on', 'off'], ...foreign('Value') },
    write_wifi: foreignFlag('Write to config (WiFi)'),
    write_mobile: foreignFlag('Write to config (mobile)'),
    simcard: { type: 'string', maxLength: 16, ...foreign('SIM card') },
    outputnb: { type: 'string', maxLength: 16, ...foreign('Output') },
    timeout: foreignFlag('Output time-out'),
    seconds: { type: 'string', maxLength: 16, ...foreign('Output time-out, seconds') },
    mac: { type: 'string', maxLength: 32, ...foreign('MAC address') },
    ssh_access_enabled: foreignFlag('SSH access'),
    ssh_access_remote: foreignFlag('Remote SSH access'),
    web_access_enabled: foreignFlag('HTTP access'),
    web_access_enabled_https: foreignFlag('HTTPS access'),
    web_access_http: foreignFlag('Remote HTTP access'),
    web_access_https: foreignFlag('Remote HTTPS access'),
  },
} as const satisfies SectionSchema;

export const command = {
  name: 'command',
  label: 'Command',
  help: 'A program that rules may run. One section a program.',
  options: {
    name: {
      type: 'string',
      minLength: 1,
      maxLength: 64,
      needed: true,
      unique: true,
      label: 'Name',
      help: 'The name that rules use.',
    },
    argv: {
      type: 'list',
      of: { type: 'string', maxLength: 1000 },
      needed: true,
      label: 'Program and arguments',
      help: 'Absolute path of the program, then its arguments, one a list element. No shell, and nothing of the SMS is passed on.',
    },
    timeout: {
      type: 'integer',
      min: 1,
      max: 240,
      unit: 'seconds',
      default: 10,
      label: 'Time-out',
      help: 'Seconds after which the program is killed, with what it has started. So it is when the gateway stops.',
    },
  },
} as const satisfies SectionSchema;
