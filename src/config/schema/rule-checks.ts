import { isJsonObject } from '../../base/json.ts';
import type { gateway } from './gateway.ts';
import type { Report, SectionConfig } from './option.ts';
import { actionRow, type command, foreignActions, isOwnAction, type RouterLacks, type rule } from './rule.ts';

type RuleConfig = SectionConfig<typeof rule>;
interface Checked {
  readonly rules: readonly RuleConfig[];
  readonly commands: readonly SectionConfig<typeof command>[];
  readonly gateway: SectionConfig<typeof gateway>;
}

type ReportError = (option: keyof RuleConfig, message: string) => void;

export function checkRules({ rules, commands, gateway }: Checked, report: Report, lacks: RouterLacks): void {
  checkSecrets(rules, gateway, report);
  const seen = new Set<string>();
  for (const rule of rules) {
    if (!rule.enabled) continue;
    const error: ReportError = (option, message) => report.error(rule, option, message);
    const refusal = refusalOf(rule, lacks);
    if (refusal !== undefined) report.refusal(rule, ...refusal);
    if (isOwnAction(rule.action)) {
      if (actionRow(rule.action)?.changesSystem && rule.authorisation === 'no') {
        error('authorisation', `cannot be "no" for ${rule.action}, which can change the system`);
      }
      if (rule.authorisation === 'code' && rule.otp_secret === undefined) {
        error('otp_secret', 'must be set, as the authorisation is "code"');
      }
      checkAction(rule, error);
      checkNumbers(rule, error);
    }
    const text = rule.smstext.toLowerCase();
    if (seen.has(text)) error('smstext', `${JSON.stringify(rule.smstext)} is the text of another rule`);
    seen.add(text);
  }
  for (const command of commands) {
    if (!command.argv[0]?.startsWith('/')) {
      report.error(command, 'argv', 'must begin with the absolute path of a program');
    }
  }
}

/**
 * Characters of a password or serial number from which on it is hidden wherever it stands in a received message. A shorter one
 * is hidden as the first word only: elsewhere it may be an ordinary word.
 */
export const HIDDEN_ANYWHERE = 8;

/** A crypt hash is longer, and a one-time code works once. */
function checkSecrets(rules: Checked['rules'], gateway: Checked['gateway'], report: Report): void {
  const secrets = [['password', 'admin_password'] as const, ['serial', 'serial'] as const];
  for (const [authorisation, option] of secrets) {
    const secret = gateway[option];
    const isAsked = rules.some((rule) => rule.enabled && rule.authorisation === authorisation);
    if (!isAsked || secret === undefined || secret.length >= HIDDEN_ANYWHERE) continue;
    const what = `has fewer than ${HIDDEN_ANYWHERE} characters: easy to guess, and hidden in received messages as the first word only`;
    report.warning(gateway, option, what);
  }
}

/** The option that makes a rule impossible here, and why. */
function refusalOf(rule: RuleConfig, lacks: RouterLacks): readonly ['action' | 'uci_option', string] | undefined {
  const { action, uci_option } = rule;
  if (!isOwnAction(action)) return ['action', `${action} is not carried out here: ${foreignActions[action]}`];
  const needs = actionRow(action)?.needs ?? [];
  const writes = (action === 'wifi' && rule.write_wifi) || (action === 'mobile' && rule.write_mobile);
  for (const feature of writes ? [...needs, 'rpcd' as const] : needs) {
    const missing = lacks(feature);
    if (missing !== undefined) return ['action', `${action} cannot be carried out here: ${missing}`];
  }
  if (action === 'uci' && uci_option.length === 0) return ['uci_option', 'must name the options that "uci" may use'];
  return undefined;
}

function checkAction(rule: RuleConfig, error: ReportError): void {
  if (rule.action === 'send_sms' && rule.to_number.length === 0) {
    error('to_number', 'must have at least one number for "send_sms"');
  }
  for (const option of actionRow(rule.action)?.options ?? []) {
    if (rule[option] === undefined) error(option, `must be set for "${rule.action}"`);
  }
  if (rule.action === 'ubus' && rule.args !== undefined && !isJsonObjectText(rule.args)) {
    error('args', 'is not a JSON object');
  }
  if (rule.action === 'dout' && rule.timeout && !rule.seconds) {
    error('seconds', 'must be set, as the time-out is on');
  }
}

function checkNumbers(rule: RuleConfig, error: ReportError): void {
  if (rule.to_other_phone && rule.to_number.length === 0) error('to_number', 'must have at least one number');
  if (rule.allowed_phone === 'single' && rule.tel === undefined) error('tel', 'must be set, as "single" is allowed');
  if (rule.allowed_phone === 'group' && rule.group === undefined) error('group', 'must be set, as a group is allowed');
}

function isJsonObjectText(text: string): boolean {
  try {
    return isJsonObject(JSON.parse(text));
  } catch {
    return false;
  }
}
