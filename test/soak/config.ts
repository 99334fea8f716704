import { noLimits } from '../support/daemon.ts';

/** Gets a copy of each message that arrives, by SMS. */
export const BOSS = '+37069000000';
export const PASSWORD = 'soak-password';
/** Texts of the two scheduled messages; the second falls into the hour that DST skips and repeats. */
export const DAILY = 'every day at noon';
export const NIGHTLY = 'every night at half past three';

/** When they are due, by the clock on the wall. */
export const MARKS = [
  [DAILY, 12, 0],
  [NIGHTLY, 3, 30],
] as const;

/** Hours between two looks into the mailbox. */
export const MAILBOX_HOURS = 6;

export interface Places {
  /** `tcp://host:port` each. */
  readonly modems: readonly string[];
  /** `host:port` of the web server. */
  readonly web: string;
  readonly hook: string;
  readonly pop3: number;
  readonly smtp: number;
  readonly smpp: number;
  /** Of the broker, where there is one. */
  readonly mqtt: number | undefined;
}

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** By the clock on the wall. On the day on which summer time begins, half past three is four or half past four. */
const NEAR_MARKS = ['03:00', '03:30', '04:00', '04:30', '12:00'].map((time) => Date.parse(`1970-01-01T${time}Z`));

/** How late a timer may fire in a skip, ms: a mark that is seen a minute late counts as missed. */
export function strideAt(now: number): number {
  const date = new Date(now);
  const time = (date.getHours() * 60 + date.getMinutes()) * MINUTE + (now % MINUTE);
  const until = NEAR_MARKS.map((mark) => (mark - time + DAY) % DAY);
  if (until.some((ms) => ms <= MINUTE || ms > DAY - 1.5 * MINUTE)) return MINUTE / 4;
  return Math.min(20 * MINUTE, ...until.map((ms) => ms - MINUTE));
}

const modemSection = (device: string, at: number, version: number): string => `
config modem 'gsm${at}'
	option device '${device}'
	option send_interval '0'
	option sweep_interval '3600'
	option watchdog '${3600 - (version % 10 === at ? 1 : 0)}'
	option network_timeout '3600'
`;

/** Every function on. What `version` changes restarts one function after the other, and some times of ten a modem. */
export const configOf = ({ modems, web, hook, pop3, smtp, smpp, mqtt }: Places, version: number): string => `
config gateway 'gateway'
${noLimits}	list function_limit 'account 0 0 0'
	list function_limit 'auto_reply 0 0 0'
	list function_limit 'mqtt 0 0 0'
	list function_limit 'rpc 0 0 0'
	list function_limit 'rules 0 0 0'
	list function_limit 'scheduled 0 0 0'
	list function_limit 'smpp 0 0 0'
	option keep_sent_max '500'

${modems.map((device, at) => modemSection(device, at, version)).join('')}
config post_get 'post_get'
	option enabled '1'
	option password '${PASSWORD}'
	option send_timeout '0'

config pop3 'pop3'
	option enabled '1'
	option host '127.0.0.1'
	option port '${pop3}'
	option username 'soak'
	option password 'secret'
	option time 'hour'
	option hour '${MAILBOX_HOURS}'
	option limit '${2000 + (version % 5 === 1 ? 1 : 0)}'

config auto_reply 'auto_reply'
	option enabled '1'
	option msg 'Noted, version ${version}'

config forwarding_to_http 'forwarding_to_http'
	option enabled '1'
	option url '${web}/received'
	option method 'post'
	option message_name 'text'
	option extra_name1 'version'
	option extra_value1 '${version % 5 === 2 ? 'b' : 'a'}'

config forwarding_to_sms 'forwarding_to_sms'
	option enabled '1'
	option sender_num '0'
	option max_per_hour '0'
	list number '${BOSS}'

config forwarding_to_smtp 'forwarding_to_smtp'
	option enabled '1'
	option smtpip '127.0.0.1'
	option smtpport '${smtp}'
	option senderemail 'gateway@example.org'
	list recipemail 'desk@example.org'
	option subject '${version % 5 === 3 ? 'SMS' : 'A message'}'

config smpp 'smpp'
	option enabled '1'
	option address '127.0.0.1'
	option port '${smpp}'
	option enquire_link '0'

config webhook 'panel'
	option url 'http://${web}/webhook'
	option timeout '${version % 5 === 4 ? 31 : 30}'

config hook 'alarm'
	list argv '${hook}'
	list text 'alarm'
	option match 'prefix'
	option every_sms '0'

config rule 'state'
	option enabled '1'
	option action 'send_status'
	option smstext 'state'
	option match 'prefix'
	option authorisation 'no'
	option message 'All is well at %rn'

config msg 'noon'
	option enable '1'
	option phonenumber '+37064000001'
	option message '${DAILY}'
	option hour '12'
	option minute '0'

config msg 'night'
	option enable '1'
	option phonenumber '+37064000002'
	option message '${NIGHTLY}'
	option hour '3'
	option minute '30'
${
  mqtt === undefined
    ? ''
    : `
config mqtt 'mqtt'
	option enabled '1'
	option host '127.0.0.1'
	option port '${mqtt}'
	option discovery '0'
	option client_id 'soak'
`
}`;
