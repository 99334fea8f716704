import { noLimits } from '../support/daemon.ts';

/** Gets a copy of each message that arrives, by SMS. */
export const BOSS = '+37069000000';
export const PASSWORD = 'soak-password';
/** Texts of the two scheduled messages; the second falls into the hour that DST skips and repeats. */
export const DAILY = 'every day at noon';
export const NIGHTLY = 'every night at half past three';

export interface Places {
  /** `tcp://host:port`. */
  readonly modem: string;
  /** `host:port` of the web server. */
  readonly web: string;
  readonly hook: string;
  readonly pop3: number;
  readonly smtp: number;
  readonly smpp: number;
  /** Of the broker, where there is one. */
  readonly mqtt: number | undefined;
}

/** Every function on. What `version` changes restarts one function after the other, and every tenth time the modem. */
export const configOf = ({ modem, web, hook, pop3, smtp, smpp, mqtt }: Places, version: number): string => `
config gateway 'gateway'
${noLimits}	list function_limit 'account 0 0 0'
	list function_limit 'auto_reply 0 0 0'
	list function_limit 'mqtt 0 0 0'
	list function_limit 'rpc 0 0 0'
	list function_limit 'rules 0 0 0'
	list function_limit 'scheduled 0 0 0'
	list function_limit 'smpp 0 0 0'
	option keep_sent_max '500'

config modem 'gsm0'
	option device '${modem}'
	option send_interval '0'
	option sweep_interval '3600'
	option watchdog '${3600 - (Math.floor(version / 10) % 2)}'
	option network_timeout '3600'

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
	option hour '1'
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
