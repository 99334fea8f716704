import type { Config, MsgConfig } from '../config.ts';
import { daysInMonth } from '../value/date.ts';
import type { KnownNames, Report } from './report.ts';

export function checkScheduled(config: Config, report: Report, known: KnownNames): void {
  for (const msg of config.scheduled) {
    if (!msg.enable) continue;
    const error = (option: string, message: string) => report.error(['scheduled', msg.section], option, message);
    checkRecipient(msg, error, known);
    checkTime(msg, error);
    if (msg.is_b64 && !/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/.test(msg.message)) {
      error('message', 'is not Base64, which is_b64 says it is');
    }
  }
}

type ReportError = (option: string, message: string) => void;

function checkRecipient({ phonenumber, group }: MsgConfig, error: ReportError, known: KnownNames): void {
  if (phonenumber === undefined && group === undefined) error('phonenumber', 'must be set where group is not');
  if (phonenumber !== undefined && group !== undefined) error('group', 'cannot be set together with phonenumber');
  if (group !== undefined && !known.groups.has(group)) error('group', `there is no group ${JSON.stringify(group)}`);
}

function checkTime({ repeats, weekday, month, monthday, cron, date }: MsgConfig, error: ReportError): void {
  if (cron !== undefined && date !== undefined) error('date', 'cannot be set together with cron');
  if (cron !== undefined || date !== undefined) return;
  if (repeats === 'week' && weekday === undefined) error('weekday', 'must be set for a weekly message');
  if (repeats === 'year' && month === undefined) error('month', 'must be set for a yearly message');
  if (repeats !== 'month' && repeats !== 'year') return;
  if (monthday === undefined) error('monthday', `must be set for a ${repeats}ly message`);
  else if (repeats === 'year' && month !== undefined && monthday !== '28-31' && monthday > daysInMonth(month)) {
    error('monthday', `month ${month} never has a day ${monthday}`);
  }
}
