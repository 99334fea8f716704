import type { Report, SectionConfig } from './option.ts';
import { type command, isOwnAction, type rule, ruleActions } from './rule.ts';

type RuleConfig = SectionConfig<typeof rule>;
interface Checked {
  readonly rules: readonly RuleConfig[];
  readonly commands: readonly SectionConfig<typeof command>[];
}

type ReportError = (option: keyof RuleConfig, message: string) => void;

export function checkRules({ rules, commands }: Checked, report: Report): void {
  const seen = new Set<string>();
  for (const rule of rules) {
    if (!rule.enabled) continue;
    const error: ReportError = (option, message) => report.error(rule, option, message);
    if (!isOwnAction(rule.action)) {
      report.warning(rule, 'action', `${rule.action} is not carried out by this gateway`);
    } else {
      if (ruleActions[rule.action].changesSystem && rule.authorisation === 'no') {
        error('authorisation', `cannot be "no" for ${rule.action}, which can change the system`);
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

function checkAction(rule: RuleConfig, error: ReportError): void {
  switch (rule.action) {
    case 'ubus':
      if (rule.object === undefined) error('object', 'must be set for "ubus"');
      if (rule.method === undefined) error('method', 'must be set for "ubus"');
      if (rule.args !== undefined && !isJsonObjectText(rule.args)) error('args', 'is not a JSON object');
      break;
    case 'command':
      if (rule.command === undefined) error('command', 'must be set for "command"');
      break;
    case 'send_sms':
      if (rule.to_number.length === 0) error('to_number', 'must have at least one number for "send_sms"');
      if (rule.message === undefined) error('message', 'must be set for "send_sms"');
      break;
    case 'switch_modem':
      if (rule.modem === undefined) error('modem', 'must be set for "switch_modem"');
      break;
    default:
  }
}

function checkNumbers(rule: RuleConfig, error: ReportError): void {
  if (rule.to_other_phone && rule.to_number.length === 0) error('to_number', 'must have at least one number');
  if (rule.allowed_phone === 'single' && rule.tel === undefined) error('tel', 'must be set, as "single" is allowed');
  if (rule.allowed_phone === 'group' && rule.group === undefined) error('group', 'must be set, as a group is allowed');
}

function isJsonObjectText(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
