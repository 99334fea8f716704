/** What several functions ask about a received message. */
import { countryOfImsi, countryOfNumber } from '../../base/country-code.ts';
import { isSameNumber, type PhoneNumber, parsePhoneNumber } from '../../base/phone-number.ts';
import type { Config, RuleConfig } from '../../config/config.ts';
import { actionRow } from '../../config/schema/rule.ts';
import { type InboxMessage, UNDECODABLE } from '../../store/message.ts';
import type { ModuleContext } from '../host/contract.ts';

/** The options of a section that say which messages its function takes. */
export interface MessageFilter {
  readonly mode: 'everyone' | 'list';
  /** Senders whose messages are taken in mode `list`. */
  readonly numbers: readonly string[];
  /** Also messages that trigger a rule. */
  readonly every_sms: boolean;
}

/** Whether a function with this filter takes the message. */
export function acceptsMessage(
  { mode, numbers, every_sms }: MessageFilter,
  message: InboxMessage,
  { isRuleMessage, isFrom }: Pick<ModuleContext<unknown>, 'isRuleMessage' | 'isFrom'>,
): boolean {
  const accepted = mode === 'everyone' || numbers.some((number) => isFrom(message, number));
  return accepted && (every_sms || !isRuleMessage(message));
}

type Sender = Pick<InboxMessage, 'number' | 'alphanumeric'>;

/** The number that an answer goes to; undefined for a name and for what cannot be dialled. */
export const senderNumber = ({ number, alphanumeric }: Sender): PhoneNumber | undefined =>
  alphanumeric ? undefined : parsePhoneNumber(number);

/** Decides `isFrom` by the country of the modem that received the message: as configured, or else as its SIM shows. */
export function senderCheck(
  config: () => CountryConfig,
  modems: ModuleContext<unknown>['modems'],
): ModuleContext<unknown>['isFrom'] {
  return ({ number: sender, alphanumeric, modem }, number) =>
    !alphanumeric && isSameNumber(sender, number, modemCountry(modem, config(), modems));
}

type CountryConfig = { readonly gateway: Pick<Config['gateway'], 'country_code'>; readonly modems: Config['modems'] };

/** The country code of the numbers of a modem: as configured, or else as its SIM shows. */
function modemCountry(
  modem: string,
  { gateway, modems: sections }: CountryConfig,
  modems: ModuleContext<unknown>['modems'],
): string | undefined {
  const found = modems.find(modem);
  const [imsi = '', number = ''] = [found?.fact('imsi'), found?.fact('number')];
  const { smsc = '' } = sections.find(({ section }) => section === modem) ?? {};
  return gateway.country_code ?? countryOfImsi(imsi) ?? countryOfNumber(smsc) ?? countryOfNumber(number);
}

/** The country codes that national numbers may belong to, those of all modems. */
export function countriesOf(config: CountryConfig, modems: ModuleContext<unknown>['modems']): readonly string[] {
  const { country_code } = config.gateway;
  if (country_code !== undefined) return [country_code];
  const found = config.modems.map(({ section }) => modemCountry(section, config, modems));
  return [...new Set(found.filter((code) => code !== undefined))];
}

/** Whether an answer can reach the sender: it is no name (TS 23.040 9.1.2.5) and no short code of a service. */
export function isSubscriber({ number, alphanumeric }: Sender, minDigits: number): boolean {
  const digits = alphanumeric ? undefined : /^\+?([0-9]+)$/.exec(number)?.[1];
  return digits !== undefined && digits.length >= minDigits;
}

type Shown = Pick<InboxMessage, 'text' | 'data'>;

/** Whether the message has octets only, and no text. */
export const isBinary = ({ text, data }: Shown): boolean => data !== undefined && (text === '' || text === UNDECODABLE);

/** The text; for a binary message its octets in hexadecimal. */
export function readableText(message: Shown): string {
  return isBinary(message) ? `Binary message: ${message.data}` : message.text;
}

/** A message that triggers a rule. Whether its secret is right is not checked here. */
export interface RuleMatch {
  readonly rule: RuleConfig;
  /** The first word as written, where the rule asks for a password or serial number. Never logged. */
  readonly secret?: string;
  /** What follows the text of the rule, as written; empty when nothing does. */
  readonly args: string;
}

/**
 * The rule that a message triggers, by its text and its sender. Where the rule asks for a secret, the text follows the
 * first word. Case and white space do not matter. A rule for the whole text goes before rules for the start of the text,
 * and of these the longest wins.
 */
export function matchingRule(
  message: Pick<InboxMessage, 'number' | 'alphanumeric' | 'modem' | 'text'>,
  { rules, groups }: Pick<Config, 'rules' | 'groups'>,
  isFrom: ModuleContext<unknown>['isFrom'],
): RuleMatch | undefined {
  if (rules.length === 0) return undefined;
  const whole = message.text.trim();
  const word = /^\S+/.exec(whole)?.[0] ?? '';
  const texts = { whole: comparable(whole), behindWord: comparable(whole.slice(word.length)) };
  const found = rules
    .filter((rule) => rule.enabled && fits(rule, rule.authorisation === 'no' ? texts.whole : texts.behindWord))
    .filter((rule) => mayTrigger(rule, groups, (number) => isFrom(message, number)))
    .sort((a, b) => Number(takesMore(a)) - Number(takesMore(b)) || b.smstext.length - a.smstext.length);
  const [rule] = found;
  if (rule === undefined) return undefined;
  if (rule.authorisation === 'no') return { rule, args: behind(whole, rule) };
  return { rule, secret: word, args: behind(whole.slice(word.length), rule) };
}

/** What follows the words of the rule's text. */
function behind(text: string, { smstext }: RuleConfig): string {
  const words = comparable(smstext).split(' ').length;
  return text.trim().replace(new RegExp(`^(?:\\S+(?:\\s+|$)){${words}}`), '');
}

const takesMore = ({ match, action }: RuleConfig): boolean =>
  match === 'prefix' || actionRow(action)?.takesArguments === true;

/** A text in the form in which texts are compared: case and white space do not matter. */
export const comparable = (text: string): string => text.normalize('NFC').trim().replace(/\s+/g, ' ').toLowerCase();

/** Whether the text begins with the words of a rule of which no more than these words is known. */
export const mayMeanRule = (smstext: string, text: string): boolean => {
  const wanted = comparable(smstext);
  return wanted !== '' && `${comparable(text)} `.startsWith(`${wanted} `);
};

/** Whether the text, without the secret in front, is that of the rule, whoever has sent it. */
export const meansRule = (rule: RuleConfig, text: string): boolean => fits(rule, comparable(text));

function fits(rule: RuleConfig, text: string): boolean {
  const wanted = comparable(rule.smstext);
  if (wanted === '') return false;
  return text === wanted || (takesMore(rule) && text.startsWith(`${wanted} `));
}

function mayTrigger(rule: RuleConfig, groups: Config['groups'], isFrom: (number: string) => boolean): boolean {
  switch (rule.allowed_phone) {
    case 'all':
      return true;
    case 'single':
      return rule.tel !== undefined && isFrom(rule.tel);
    case 'group': {
      const members = groups.find(({ name }) => name === rule.group)?.tel ?? [];
      return members.some(isFrom);
    }
    default:
      return rule.allowed_phone satisfies never;
  }
}
