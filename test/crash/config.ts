import { CREW } from './load.ts';
import type { World } from './world.ts';

/** Gets a copy of each message that arrives, by SMS. */
export const BOSS = '+37069000000';

/** A gateway with a modem, URLs, a group, and two functions that forward everything. */
export const configOf = (world: World): string => `
config gateway 'gateway'
	option capacity '100000'
	option keep_sent_max '100000'
	option sms_per_minute '0'
	option sms_per_hour '0'
	option sms_per_day '0'
	option recipient_per_minute '0'
	option recipient_per_hour '0'
	option recipient_per_day '0'
	list function_limit 'post_get 0 0 0'
	list function_limit 'forwarding_to_sms 0 0 0'
	list function_limit 'rpc 0 0 0'

config modem 'gsm0'
	option device '${world.simulator.device}'
	option send_interval '0'
	option sweep_interval '10'

config post_get 'post_get'
	option enabled '1'
	option factory_sends '1'

config group
	option name 'crew'
${CREW.map((number) => `	list tel '${number}'\n`).join('')}
config sms_gateway 'forwarding_to_http'
	option enabled '1'
	option url '${world.receiver}'
	option method 'post'
	option message_name 'text'
	option id_name 'id'

config sms_gateway 'forwarding_to_sms'
	option enabled '1'
	option sender_num '0'
	option max_per_hour '0'
	list number '${BOSS}'
`;
