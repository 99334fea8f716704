import { autoReply } from './auto-reply.ts';
import { forwardingToHttp } from './forwarding-to-http.ts';
import { forwardingToSms } from './forwarding-to-sms.ts';
import { forwardingToSmtp } from './forwarding-to-smtp.ts';
import { gateway } from './gateway.ts';
import { group } from './group.ts';
import { modem } from './modem.ts';
import { msg } from './msg.ts';
import { pop3 } from './pop3.ts';
import { postGet } from './post-get.ts';
import { command, rule } from './rule.ts';
import { smpp, smppAccount } from './smpp.ts';

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
} as const;

/** Sections of which there may be many, found by type, named or not; by the name they have in the typed config. */
export const repeatedSections = {
  modems: modem,
  scheduled: msg,
  groups: group,
  rules: rule,
  commands: command,
  smpp_accounts: smppAccount,
} as const;

export type SingleName = keyof typeof singleSections;
export type RepeatedName = keyof typeof repeatedSections;

/** In the order of the documentation and of the web pages. */
export const singleNames = Object.keys(singleSections) as readonly SingleName[];
export const repeatedNames = Object.keys(repeatedSections) as readonly RepeatedName[];

export const isSingle = (name: SingleName | RepeatedName): name is SingleName => Object.hasOwn(singleSections, name);
