import { autoReply, checkAutoReply } from './auto-reply.ts';
import { checkForwardingToHttp, forwardingToHttp } from './forwarding-to-http.ts';
import { checkForwardingToSms, forwardingToSms } from './forwarding-to-sms.ts';
import { checkForwardingToSmtp, forwardingToSmtp } from './forwarding-to-smtp.ts';
import { checkGateway, gateway } from './gateway.ts';
import { group } from './group.ts';
import { checkHooks, hook } from './hook.ts';
import { checkModems, modem } from './modem.ts';
import { checkMqtt, mqtt } from './mqtt.ts';
import { checkScheduled, msg } from './msg.ts';
import type { Repeated, Report, SectionConfig, SectionSchema } from './option.ts';
import { checkPop3, pop3 } from './pop3.ts';
import { postGet } from './post-get.ts';
import { command, type RouterLacks, rule } from './rule.ts';
import { checkRules } from './rule-checks.ts';
import { checkSmpp, smpp, smppAccount } from './smpp.ts';
import { token } from './token.ts';
import { checkWebhooks, webhook } from './webhook.ts';

/** Sections of which there is one, found by name whatever their type. */
export const singleSections = {
  gateway,
  post_get: postGet,
  pop3,
  auto_reply: autoReply,
  forwarding_to_http: forwardingToHttp,
  forwarding_to_sms: forwardingToSms,
  forwarding_to_smtp: forwardingToSmtp,
  smpp,
  mqtt,
} as const;

/** Sections of which there may be many, found by type, named or not; by the name they have in the typed config. */
export const repeatedSections = {
  modems: modem,
  scheduled: msg,
  groups: group,
  rules: rule,
  commands: command,
  smpp_accounts: smppAccount,
  tokens: token,
  hooks: hook,
  webhooks: webhook,
} as const;

export type SingleName = keyof typeof singleSections;
export type RepeatedName = keyof typeof repeatedSections;

/** In the order of the documentation and of the web pages. */
export const singleNames = Object.keys(singleSections) as readonly SingleName[];
export const repeatedNames = Object.keys(repeatedSections) as readonly RepeatedName[];

export const isSingle = (name: SingleName | RepeatedName): name is SingleName => Object.hasOwn(singleSections, name);

export const schemaOf = (name: SingleName | RepeatedName): SectionSchema =>
  isSingle(name) ? singleSections[name] : repeatedSections[name];

/** The whole config, typed: sections by name, options under their UCI names. */
export type Config = {
  readonly [K in SingleName]: SectionConfig<(typeof singleSections)[K]>;
} & {
  readonly [K in RepeatedName]: readonly Repeated<SectionConfig<(typeof repeatedSections)[K]>>[];
} & {
  /**
   * Texts of rules with an error, as written. Nobody obeys such a rule, but whoever knows it goes on sending it the secret, which
   * must stay hidden.
   */
  readonly faulty_rule_texts: readonly string[];
};

/** Checks that rows cannot express, because options depend on each other or on other sections. They see sections without errors. */
export const checks: readonly ((config: Config, report: Report, lacks: RouterLacks) => void)[] = [
  checkGateway,
  checkModems,
  checkAutoReply,
  checkForwardingToHttp,
  checkForwardingToSms,
  checkForwardingToSmtp,
  checkPop3,
  checkSmpp,
  checkMqtt,
  checkScheduled,
  checkRules,
  checkHooks,
  checkWebhooks,
];
