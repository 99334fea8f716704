import type { Config, RuleConfig } from '../config.ts';
import { isOwnAction, ruleActions } from '../schema/rule.ts';
import type { KnownNames, Report } from './report.ts';

type ReportError = (option: string, message: string) => void;

export function checkRules({ rules, commands }: Config, report: Report, known: KnownNames): void {
  const seen = new Set<string>();
  for (const rule of rules) {
    if (!rule.enabled) continue;
    const error = (option: string, message: string) => report.error(['rules', rule.section], option, message);
    if (!isOwnAction(rule.action)) {
      report.warning(['rules', rule.section], 'action', `${rule.action} is not carried out by this gateway`);
    } else {
      if (ruleActions[rule.action].changesSystem && rule.authorisation === 'no') {
        error('authorisation', `cannot be "no" for ${rule.action}, which can change the system`);
      }
      checkAction(rule, error, known);
      checkNumbers(rule, error, known);
    }
    const text = rule.smstext.toLowerCase();
    if (seen.has(text)) error('smstext', `${JSON.stringify(rule.smstext)} is the text of another rule`);
    seen.add(text);
  }
  for (const { section, argv } of commands) {
    if (!argv[0]?.startsWith('/'))
      report.error(['commands', section], 'argv', 'must begin with the absolute path of a program');
  }
}

function checkAction(rule: RuleConfig, error: ReportError, known: KnownNames): void {
  switch (rule.action) {
    case 'ubus':
      if (rule.object === undefined) error('object', 'must be set for "ubus"');
      if (rule.method === undefined) error('method', 'must be set for "ubus"');
      if (rule.args !== undefined && !isJsonObjectText(rule.args)) error('args', 'is not a JSON object');
      break;
    case 'command':
      if (rule.command === undefined) error('command', 'must be set for "command"');
      else if (!known.commands.has(rule.command)) {
        error('command', `there is no command section with the name ${JSON.stringify(rule.command)}`);
      }
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

function checkNumbers(rule: RuleConfig, error: ReportError, known: KnownNames): void {
  if (rule.to_other_phone && rule.to_number.length === 0) error('to_number', 'must have at least one number');
  if (rule.allowed_phone === 'single' && rule.tel === undefined) error('tel', 'must be set, as "single" is allowed');
  if (rule.allowed_phone !== 'group') return;
  if (rule.group === undefined) error('group', 'must be set, as a group is allowed');
  else if (!known.groups.has(rule.group)) error('group', `there is no group ${JSON.stringify(rule.group)}`);
}

function isJsonObjectText(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
