import type { ScalarRow } from '../schema/option.ts';

/** What a value must be, in words that go on after "is not" and "must be". */
export function formOf(row: ScalarRow): string {
  switch (row.type) {
    case 'boolean':
      return '1 or 0';
    case 'integer': {
      const range = `a whole number from ${row.min} to ${row.max}`;
      return row.word === undefined ? range : `"${row.word}" or ${range}`;
    }
    case 'port':
      return `a port from ${row.min} to 65535`;
    case 'enum':
      return row.values.map((value) => `"${value}"`).join(' or ');
    case 'string':
      return stringForm(row);
    case 'phone':
      return 'a phone number';
    case 'host':
      return 'a host name or IP address';
    case 'network':
      return 'an IP address or network';
    case 'url':
      return 'an http or https URL';
    case 'email':
      return 'an email address';
    case 'file':
      return 'an absolute path';
    case 'cron':
      return 'five crontab fields in numbers';
    case 'date':
      return 'a date and time, YYYY-MM-DD HH:MM';
  }
}

function stringForm({ form = 'text', minLength = 0, maxLength }: Extract<ScalarRow, { type: 'string' }>): string {
  const bounds = [
    ...(minLength > 1 ? [`at least ${minLength}`] : []),
    ...(maxLength === undefined ? [] : [`at most ${maxLength}`]),
  ];
  return bounds.length === 0 ? form : `${form} of ${bounds.join(' and ')} characters`;
}
