import { sameSubscriber } from '../../base/phone-number.ts';
import type { Config, RuleConfig } from '../../config/config.ts';

/** A message that is meant for a rule. Whether its secret is right is another question. */
export interface RuleMatch {
  readonly rule: RuleConfig;
  /** The word in front, where the rule asks for a password or serial number. As it was written: never to be logged. */
  readonly secret?: string;
}

/**
 * The rule that a message is meant for: its text, behind one word where the rule asks for a secret, from a phone that
 * may trigger it. Case and white space do not matter. A text that is all of the message goes before one that it only
 * begins with, and of those the longest.
 */
export function matchingRule(
  message: { readonly number: string; readonly text: string },
  { rules, groups }: Pick<Config, 'rules' | 'groups'>,
): RuleMatch | undefined {
  const whole = message.text.trim();
  const word = /^\S+/.exec(whole)?.[0] ?? '';
  const texts = { whole: comparable(whole), behindWord: comparable(whole.slice(word.length)) };
  const found = rules
    .filter((rule) => rule.enabled && fits(rule, rule.authorisation === 'no' ? texts.whole : texts.behindWord))
    .filter((rule) => mayTrigger(rule, groups, message.number))
    .sort((a, b) => Number(a.match === 'prefix') - Number(b.match === 'prefix') || b.smstext.length - a.smstext.length);
  const [rule] = found;
  if (rule === undefined) return undefined;
  return rule.authorisation === 'no' ? { rule } : { rule, secret: word };
}

const comparable = (text: string): string => text.normalize('NFC').trim().replace(/\s+/g, ' ').toLowerCase();

function fits({ smstext, match }: RuleConfig, text: string): boolean {
  const wanted = comparable(smstext);
  if (wanted === '') return false;
  return text === wanted || (match === 'prefix' && text.startsWith(`${wanted} `));
}

function mayTrigger(rule: RuleConfig, groups: Config['groups'], sender: string): boolean {
  switch (rule.allowed_phone) {
    case 'all':
      return true;
    case 'single':
      return rule.tel !== undefined && sameSubscriber(rule.tel, sender);
    case 'group': {
      const members = groups.find(({ name }) => name === rule.group)?.tel ?? [];
      return members.some((member) => sameSubscriber(member, sender));
    }
    default:
      return rule.allowed_phone satisfies never;
  }
}
