import { daysInMonth } from '../value.ts';
import type { Report, SectionConfig, SectionSchema } from './option.ts';
import { enabledRow, sendingModem } from './shared-rows.ts';

export const msg = {
  name: 'msg',
  label: 'Scheduled SMS',
  help: 'One section for each scheduled message. Times are those of the router: a time that is skipped when the clock is put forward counts right after, a time that comes twice counts once.',
  options: {
    enable: enabledRow('the rule'),
    phonenumber: { type: 'phone', original: true, label: "Recipient's phone number", help: 'Who gets the message.' },
    group: {
      type: 'reference',
      to: 'group',
      label: 'Group',
      help: 'Name of the phone group that gets the message, in place of a number.',
    },
    message: {
      type: 'string',
      maxLength: 8000,
      needed: true,
      original: true,
      label: 'Message text',
      help: 'The message that will be sent.',
    },
    is_b64: {
      type: 'boolean',
      default: false,
      original: true,
      label: 'Base64',
      help: 'The text is stored as Base64 of UTF-8.',
    },
    repeats: {
      type: 'enum',
      values: ['day', 'week', 'month', 'year'],
      default: 'day',
      original: true,
      label: 'Message sending interval',
      help: 'How often the message is sent.',
    },
    weekday: {
      type: 'enum',
      values: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'],
      original: true,
      label: 'Weekday',
      help: 'Day for weekly messages.',
    },
    month: { type: 'integer', min: 1, max: 12, original: true, label: 'Month', help: 'Month for yearly messages.' },
    monthday: {
      type: 'integer',
      min: 1,
      max: 31,
      word: '28-31',
      original: true,
      label: 'Day of the month',
      help: 'Day for monthly and yearly messages; "28-31" is the last day of the month. A month without that day is skipped.',
    },
    hour: { type: 'integer', min: 0, max: 23, default: 1, original: true, label: 'Hour', help: 'Hour of the day.' },
    minute: {
      type: 'integer',
      min: 0,
      max: 59,
      default: 1,
      original: true,
      label: 'Minute',
      help: 'Minute of the hour.',
    },
    cron: {
      type: 'cron',
      label: 'Cron',
      help: 'Five fields as in crontab(5) in place of the interval: minute, hour, day of month, month, weekday (0 or 7 is Sunday).',
    },
    date: { type: 'date', label: 'Date', help: 'One time, YYYY-MM-DD HH:MM, in place of the interval.' },
    catch_up: {
      type: 'integer',
      min: 0,
      max: 10_080,
      unit: 'minutes',
      default: 0,
      label: 'Catch up',
      help: 'A message missed while the router was off is sent if it is at most this many minutes late; of several only the last. 0: it is skipped.',
    },
    modem: sendingModem,
  },
} as const satisfies SectionSchema;

type Scheduled = SectionConfig<typeof msg>;
type ReportError = (option: keyof Scheduled, message: string) => void;

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/;

export function checkScheduled({ scheduled }: { scheduled: readonly Scheduled[] }, report: Report): void {
  for (const msg of scheduled) {
    if (!msg.enable) continue;
    const error: ReportError = (option, message) => report.error(msg, option, message);
    checkRecipient(msg, error);
    checkTime(msg, error);
    if (msg.is_b64 && !BASE64.test(msg.message)) error('message', 'is not Base64, which is_b64 says it is');
  }
}

function checkRecipient({ phonenumber, group }: Scheduled, error: ReportError): void {
  if (phonenumber === undefined && group === undefined) error('phonenumber', 'must be set where group is not');
  if (phonenumber !== undefined && group !== undefined) error('group', 'cannot be set together with phonenumber');
}
function checkTime({ repeats, weekday, month, monthday, cron, date }: Scheduled, error: ReportError): void {
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
