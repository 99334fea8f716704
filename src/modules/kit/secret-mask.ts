import { parseCryptHash } from '../../access/crypt.ts';
import type { Config, RuleConfig } from '../../config/config.ts';
import { HIDDEN_ANYWHERE } from '../../config/schema/rule-checks.ts';
import type { InboxMessage } from '../../store/message.ts';
import { mayMeanRule, meansRule } from './received-message.ts';

/** What stands in the place of a secret. */
const MASK = '***';

interface Facts {
  readonly config: Pick<Config, 'rules' | 'faulty_rule_texts'> & {
    readonly gateway: Pick<Config['gateway'], 'admin_password' | 'serial'>;
  };
  /** Serial number of the board; undefined where the system knows none. */
  readonly serial: string | undefined;
}

/**
 * The message without the secrets of rules: everybody but the rules sees it so, whoever its sender is. Hidden is a password
 * in clear or a serial number that is in force, and the word in its place of a message that means a rule, as a one-time
 * code or the password of a hash is not known here. A rule with an error counts as one that takes any secret. The stored message
 * keeps its text: the rules need it after a restart.
 */
export function withoutSecrets(message: InboxMessage, { config, serial }: Facts): InboxMessage {
  const asking = config.rules.filter((rule) => rule.enabled && rule.authorisation !== 'no');
  const { faulty_rule_texts: faulty } = config;
  const known = knownSecrets(asking, faulty.length > 0, config.gateway, serial);
  if ((asking.length + faulty.length === 0 && known.size === 0) || message.text === '') return message;
  const [, lead = '', word = '', rest = ''] = /^(\s*)(\S*)([\s\S]*)$/.exec(message.text) ?? [];
  const free = config.rules.some(
    (rule) => rule.enabled && rule.authorisation === 'no' && meansRule(rule, message.text),
  );
  const inPlace =
    asking.some((rule) => meansRule(rule, rest) && !known.has(rule.authorisation)) ||
    faulty.some((text) => mayMeanRule(text, rest));
  const isSecret = [...known.values()].flat().some((secret) => secret.toLowerCase() === word.toLowerCase());
  const first = !free && (inPlace || isSecret) ? `${lead}${MASK}${rest}` : message.text;
  // A rule must be recognised by the text that is shown.
  const inText = (secret: string) => config.rules.some(({ smstext }) => includes(smstext, secret));
  const anywhere = [...known.values()].flat().filter((secret) => secret.length >= HIDDEN_ANYWHERE && !inText(secret));
  const text = anywhere.reduce(hide, first);
  if (text === message.text) return message;
  // The octets of the text.
  const { data: _, ...others } = message;
  return { ...others, text, masked: true };
}

type Asking = Exclude<RuleConfig['authorisation'], 'no'>;

/** The secrets in clear by the authorisation that asks for them; none where they are not known. */
function knownSecrets(
  asking: readonly RuleConfig[],
  isAnyAsked: boolean,
  { admin_password: password, serial: configured }: Facts['config']['gateway'],
  board: string | undefined,
): ReadonlyMap<RuleConfig['authorisation'], readonly string[]> {
  const known = new Map<Asking, readonly string[]>();
  const asks = (authorisation: Asking) => asking.some((rule) => rule.authorisation === authorisation);
  // Also while no rule asks for it: it is good again when one does, and messages of before have it.
  if (password !== undefined && parseCryptHash(password) === undefined) {
    known.set('password', [password]);
  }
  const serial = configured ?? board;
  if ((isAnyAsked || asks('serial')) && serial !== undefined) known.set('serial', [serial]);
  return known;
}

const includes = (text: string, secret: string): boolean => text.toLowerCase().includes(secret.toLowerCase());

function hide(text: string, secret: string): string {
  return text.replace(new RegExp(secret.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&'), 'gi'), MASK);
}
