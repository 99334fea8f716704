import type { repeatedSections, singleSections } from './schema/index.ts';
import type { SectionConfig } from './schema/option.ts';

export { type LoadedConfig, loadConfig } from './load-config.ts';
export { mergeGood } from './merge-good.ts';
export type { ConfigError } from './problems.ts';

type Repeated<S> = S & {
  /** The section's name; `@type[n]` for an unnamed one, `modem0`, `modem1`, ... for an unnamed modem. */
  readonly section: string;
};

/** The whole config, typed: sections by name, options under their UCI names. */
export type Config = {
  readonly [K in keyof typeof singleSections]: SectionConfig<(typeof singleSections)[K]>;
} & {
  readonly [K in keyof typeof repeatedSections]: readonly Repeated<SectionConfig<(typeof repeatedSections)[K]>>[];
};

export type GatewayConfig = Config['gateway'];
export type PostGetConfig = Config['post_get'];
export type Pop3Config = Config['pop3'];
export type AutoReplyConfig = Config['auto_reply'];
export type ForwardingToHttpConfig = Config['forwarding_to_http'];
export type ForwardingToSmsConfig = Config['forwarding_to_sms'];
export type ForwardingToSmtpConfig = Config['forwarding_to_smtp'];
export type SmppConfig = Config['smpp'];
export type ModemConfig = Config['modems'][number];
export type MsgConfig = Config['scheduled'][number];
export type GroupConfig = Config['groups'][number];
export type RuleConfig = Config['rules'][number];
export type CommandConfig = Config['commands'][number];
export type SmppAccountConfig = Config['smpp_accounts'][number];
