/** The types of the config that other rooms use. */
import type { Config } from './schema/index.ts';

export type { ConfigDifference } from './live-config.ts';
export type { ConfigError } from './problems.ts';
export type { Config };

export type GatewayConfig = Config['gateway'];
export type PostGetConfig = Config['post_get'];
export type Pop3Config = Config['pop3'];
export type AutoReplyConfig = Config['auto_reply'];
export type ForwardingToHttpConfig = Config['forwarding_to_http'];
export type ForwardingToSmsConfig = Config['forwarding_to_sms'];
export type ForwardingToSmtpConfig = Config['forwarding_to_smtp'];
export type SmppConfig = Config['smpp'];
export type MqttConfig = Config['mqtt'];
export type ModemConfig = Config['modems'][number];
export type MsgConfig = Config['scheduled'][number];
export type GroupConfig = Config['groups'][number];
export type RuleConfig = Config['rules'][number];
export type SmppAccountConfig = Config['smpp_accounts'][number];
export type TokenConfig = Config['tokens'][number];
export type HookConfig = Config['hooks'][number];
export type WebhookConfig = Config['webhooks'][number];
