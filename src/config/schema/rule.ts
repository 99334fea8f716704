import type { OptionRow, SectionSchema } from './option.ts';
import { enabledRow, sendingModem } from './shared-rows.ts';

/** What an action needs of the router that it runs on. */
export type RouterFeature = 'ubus' | 'rpcd' | 'wireless' | 'network' | 'dropbear' | 'uhttpd' | 'firewall';

/** What the router lacks for a feature, a sentence; undefined when it has what is needed. */
export type RouterLacks = (feature: RouterFeature) => string | undefined;

interface ActionRow {
  /** It can change the system, and so needs a secret. */
  readonly changesSystem?: true;
  /** It is a question: the answer is sent whatever `reply` says. */
  readonly asks?: true;
  /** Words behind the text of the rule are its arguments. */
  readonly takesArguments?: true;
  readonly needs?: readonly RouterFeature[];
  /** Options without which it cannot be carried out. */
  readonly options?: readonly ('value' | 'object' | 'method' | 'command' | 'modem' | 'message' | 'outputnb' | 'mac')[];
}

/** Actions of rules that this gateway carries out. */
const ruleActions = {
  reboot: { changesSystem: true },
  send_status: { asks: true },
  ubus: { changesSystem: true, needs: ['ubus'], options: ['object', 'method'] },
  command: { changesSystem: true, options: ['command'] },
  send_sms: { options: ['message'] },
  switch_modem: { changesSystem: true, options: ['modem'] },
  wifi: { changesSystem: true, needs: ['ubus', 'wireless'], options: ['value'] },
  mobile: { changesSystem: true, needs: ['ubus', 'network'], options: ['value'] },
  vpn: { changesSystem: true, needs: ['ubus', 'network'], options: ['value'] },
  vpnstatus: { asks: true, needs: ['ubus', 'network'] },
  ssh_access: { changesSystem: true, needs: ['ubus', 'rpcd', 'dropbear', 'firewall'] },
  web_access: { changesSystem: true, needs: ['ubus', 'rpcd', 'uhttpd', 'firewall'] },
  uci: { changesSystem: true, asks: true, takesArguments: true, needs: ['ubus', 'rpcd'] },
  iostatus: { asks: true },
  dout: { changesSystem: true, options: ['value', 'outputnb'] },
  wol: { changesSystem: true, options: ['mac'] },
  gps_coordinates: { asks: true },
  gps: { changesSystem: true, needs: ['ubus', 'rpcd'], options: ['value'] },
} as const satisfies Readonly<Record<string, ActionRow>>;

export type OwnAction = keyof typeof ruleActions;
export const isOwnAction = (action: string): action is OwnAction => Object.hasOwn(ruleActions, action);

/** Undefined for an action that is not carried out here. */
export const actionRow = (action: string): ActionRow | undefined =>
  isOwnAction(action) ? ruleActions[action] : undefined;

const makersTools = "only the maker's own tools can do that; a command or ubus rule can call what this router has";

/** Actions of the original that are not carried out, each with the reason. A rule with one does nothing but say so. */
export const foreignActions = {
  change_mobile_settings: makersTools,
  list_of_profile: "profiles are part of the original's firmware",
  change_profile: "profiles are part of the original's firmware",
  firstboot: 'a router that forgets its settings also forgets this gateway and cannot be reached again',
  get_configure: makersTools,
  set_configure: makersTools,
  switch_sim: 'there is no common way to switch SIM cards; switch_modem changes the modem that sends',
  fw_upgrade: 'a firmware without a person beside it can leave the router dead',
  monitoring: "the original's remote management service is not here",
  monitoring_status: "the original's remote management service is not here",
  more: 'answers are not sent in portions; max_parts allows longer ones',
} as const;

// The casts keep the names of the keys, which Object.keys forgets.
const ownActions = Object.keys(ruleActions) as readonly OwnAction[];
const notHere = Object.keys(foreignActions) as readonly (keyof typeof foreignActions)[];

/** Names of UCI sections and options; `*` in a place stands for all of them. */
const UCI_OPTION = /^[A-Za-z0-9_-]+\.(?:[A-Za-z0-9_]+|\*)\.(?:[A-Za-z0-9_]+|\*)$/;

/** An option that only serves an action of the original; read so that its files pass, and nothing more. */
const foreign = (label: string) =>
  ({ original: true, label, help: 'For an action of the original that this gateway does not have.' }) as const;
const flag = (label: string, help: string) =>
  ({ type: 'boolean', default: false, original: true, label, help }) as const satisfies OptionRow;

export const rule = {
  name: 'rule',
  label: 'SMS Utilities rule',
  help: 'An action that a received message with a certain text starts. One section for each rule.',
  options: {
    enabled: enabledRow('the rule'),
    action: {
      type: 'enum',
      values: [...ownActions, ...notHere],
      needed: true,
      original: true,
      label: 'Action',
      help: 'What to do. docs/rules.md describes each action; the check of the config names those that this router cannot carry out, with the reason.',
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
      help: 'Whether the message is this text, or begins with it. With "uci" it always begins with it.',
    },
    authorisation: {
      type: 'enum',
      values: ['no', 'serial', 'password', 'code'],
      default: 'password',
      original: true,
      label: 'Authorisation',
      help: 'What the message must begin with: nothing, the serial number, the password, or a one-time code of six digits from an authenticator app. Rules that can change the system need one.',
    },
    otp: {
      type: 'enum',
      values: ['counter', 'time'],
      default: 'counter',
      label: 'Codes follow',
      help: 'With "code": a counter (HOTP, RFC 4226), or the time (TOTP, RFC 6238), which needs the right time on both sides.',
    },
    otp_secret: {
      type: 'string',
      maxLength: 256,
      pattern: /^(?:[A-Za-z2-7][ -]?){26,128}=*$/,
      form: 'a secret of 26 or more base32 digits (A to Z, 2 to 7)',
      secret: true,
      label: 'Secret of the codes',
      help: 'With "code": the secret that the authenticator app has too, in base32. `smsgw otp secret` makes one. Rules with the same secret share its codes: each code works once.',
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
      help: 'Sends what is the case after the action, what a call or command printed, or that it failed. Actions that only ask always answer.',
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
    value: {
      type: 'enum',
      values: ['on', 'off'],
      original: true,
      label: 'Value',
      help: 'What "wifi", "mobile", "vpn", "gps" and "dout" switch to.',
    },
    interface: {
      type: 'string',
      maxLength: 64,
      pattern: /^[A-Za-z0-9_.-]+$/,
      form: 'the name of a network interface',
      label: 'Interface',
      help: 'Network interface as in /etc/config/network, for "mobile", "vpn", "vpnstatus" and "wol". Empty: the mobile ones, the VPNs, or lan.',
    },
    service: {
      type: 'string',
      maxLength: 64,
      pattern: /^[A-Za-z0-9_.-]+$/,
      form: 'the name of a script in /etc/init.d',
      label: 'Service',
      help: 'Script in /etc/init.d that "vpn" and "gps" start and stop and that "vpnstatus" shows. Empty: the known ones that are installed.',
    },
    write_wifi: flag('Write to config (WiFi)', 'With "wifi": on, it also holds after a restart. Off, only until then.'),
    write_mobile: flag(
      'Write to config (mobile)',
      'With "mobile": on, it also holds after a restart. Off, only until then.',
    ),
    uci_option: {
      type: 'list',
      of: {
        type: 'string',
        maxLength: 200,
        pattern: UCI_OPTION,
        form: 'config.section.option, where * stands for any section or option',
      },
      label: 'UCI options',
      help: 'Options that "uci" may show and set, as config.section.option. Nothing else is shown or set.',
    },
    simcard: { type: 'string', maxLength: 16, ...foreign('SIM card') },
    outputnb: {
      type: 'string',
      maxLength: 32,
      pattern: /^[A-Za-z0-9_-]+$/,
      form: 'the name of an output',
      original: true,
      label: 'Output',
      help: 'Output that "dout" switches, such as DOUT1: a name in /sys/class/gpio or of ioman. Case does not matter.',
    },
    timeout: flag('Output time-out', 'With "dout": switches the output back after some seconds.'),
    seconds: {
      type: 'integer',
      min: 0,
      max: 86_400,
      unit: 'seconds',
      original: true,
      label: 'Output time-out, seconds',
      help: 'Seconds after which the output is switched back.',
    },
    mac: {
      type: 'string',
      maxLength: 17,
      pattern: /^[0-9A-Fa-f]{2}([:-]?[0-9A-Fa-f]{2}){5}$/,
      form: 'a MAC address such as 00:11:22:aa:bb:cc',
      original: true,
      label: 'MAC address',
      help: 'Device that "wol" wakes up.',
    },
    ssh_access_enabled: flag('SSH access', 'What "ssh_access" sets: whether the SSH server runs.'),
    ssh_access_remote: flag('Remote SSH access', 'What "ssh_access" sets: whether the firewall lets SSH in from wan.'),
    web_access_enabled: flag('HTTP access', 'What "web_access" sets: whether the pages are served by HTTP.'),
    web_access_enabled_https: flag('HTTPS access', 'What "web_access" sets: whether they are served by HTTPS.'),
    web_access_http: flag('Remote HTTP access', 'What "web_access" sets: whether the firewall lets HTTP in from wan.'),
    web_access_https: flag(
      'Remote HTTPS access',
      'What "web_access" sets: whether the firewall lets HTTPS in from wan.',
    ),
  },
} as const satisfies SectionSchema;

export const command = {
  name: 'command',
  label: 'Command',
  help: 'A program that rules may run. One section for each program.',
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
      help: "Absolute path of the program, then its arguments, one a list element. No shell, and nothing of the SMS is passed on. The program must belong to root or the gateway's user, and nobody else may be able to write to it.",
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
