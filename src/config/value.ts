import { isIP } from 'node:net';
import { parseHttpUrl } from '../base/http-url.ts';
import { parsePhoneNumber } from '../base/phone-number.ts';
import { MAX_NAME, type ScalarRow } from './schema/option.ts';

type StringRow = Extract<ScalarRow, { type: 'string' }>;

/** A reference is read, and described to other programs, as this text. */
export const referenceText: StringRow = { type: 'string', maxLength: MAX_NAME };

/** What a value must be, in words that fit after "is not" and "must be". */
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
    case 'reference':
      return stringForm(referenceText);
    case 'date':
      return 'a date and time, YYYY-MM-DD HH:MM';
  }
}

function stringForm({ form = 'text', minLength = 0, maxLength }: StringRow): string {
  const bounds = [
    ...(minLength > 1 ? [`at least ${minLength}`] : []),
    ...(maxLength === undefined ? [] : [`at most ${maxLength}`]),
  ];
  return bounds.length === 0 ? form : `${form} of ${bounds.join(' and ')} characters`;
}

/** The words that OpenWrt's config_get_bool knows. */
const yes: ReadonlySet<string> = new Set(['1', 'on', 'true', 'yes', 'enabled']);
const no: ReadonlySet<string> = new Set(['0', 'off', 'false', 'no', 'disabled']);

/**
 * The value of the text, or undefined when the row does not allow it. Blanks around a value are dropped,
 * except in texts, where they may be meant. Words are taken in any case.
 */
export function parseValue(row: ScalarRow, raw: string): boolean | number | string | undefined {
  if (row.type === 'string') return isText(row, raw) ? raw : undefined;
  if (row.type === 'reference') return isText(referenceText, raw) ? raw : undefined;
  const text = raw.trim();
  const word = text.toLowerCase();
  switch (row.type) {
    case 'boolean':
      return yes.has(word) ? true : no.has(word) ? false : undefined;
    case 'integer':
      return word === row.word ? word : integer(text, row.min, row.max);
    case 'port':
      return integer(text, row.min, 65_535);
    case 'phone':
      return parsePhoneNumber(text);
    case 'url':
      return parseHttpUrl(text) === undefined ? undefined : text.trim();
    case 'enum':
      return row.values.find((value) => value.toLowerCase() === word);
    case 'email':
      return emailOf(text);
    default:
      return isValid(row, text) ? text : undefined;
  }
}

function isText({ minLength = 0, maxLength = Number.POSITIVE_INFINITY, pattern }: StringRow, text: string): boolean {
  const length = [...text].length;
  // A lone surrogate stands for a byte that is not UTF-8.
  return length >= minLength && length <= maxLength && pattern?.test(text) !== false && !/[\ud800-\udfff]/u.test(text);
}

/** The address alone, or that of `Name <address>`. */
function emailOf(text: string): string | undefined {
  const address = /^[^<>]*<\s*([^<>\s]+)\s*>$/.exec(text)?.[1] ?? text;
  return isEmail(address) ? address : undefined;
}

type TextRow = Extract<ScalarRow, { type: 'host' | 'network' | 'file' | 'cron' | 'date' }>;

function isValid(row: TextRow, text: string): boolean {
  switch (row.type) {
    case 'host':
      return isHost(text);
    case 'network':
      return isNetwork(text);
    case 'file':
      return /^\/[^\n\r]{1,4095}$/.test(text);
    case 'cron':
      return isCron(text);
    case 'date':
      return isDate(text);
  }
}

function integer(text: string, min: number, max: number): number | undefined {
  if (!/^-?[0-9]{1,15}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= min && value <= max ? value : undefined;
}

function isHost(text: string): boolean {
  if (isIP(text) !== 0) return true;
  // A name of digits and dots alone is an address with a mistake.
  return text.length <= 253 && !/^[0-9.]+$/.test(text) && /^[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?$/i.test(text);
}

function isNetwork(text: string): boolean {
  const match = /^([^/%]+)(?:\/([0-9]{1,3}))?$/.exec(text);
  const version = isIP(match?.[1] ?? '');
  return version !== 0 && Number(match?.[2] ?? 0) <= (version === 4 ? 32 : 128);
}

function isEmail(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: an address must not hold them
  const match = /^[^\s\u0000-\u001f\u007f-\u009f@<>(),;:"\\]{1,64}@([^@]+)$/u.exec(text);
  return match !== null && text.length <= 254 && isHost(match[1] ?? '');
}

/** Lowest and highest number of each field of crontab(5): minute, hour, day of month, month, day of week (0 and 7 Sunday). */
const cronFields = [
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [0, 7],
] as const;

/** Whether the text is five crontab fields: `*`, numbers, ranges, steps and lists of them. */
export function isCron(text: string): boolean {
  const words = text.split(/[ \t]+/);
  return (
    words.length === cronFields.length && cronFields.every(([min, max], i) => isCronField(words[i] ?? '', min, max))
  );
}

function isCronField(word: string, min: number, max: number): boolean {
  return word.split(',').every((part) => {
    const match = /^(?:\*|([0-9]{1,2})(?:-([0-9]{1,2}))?)(?:\/([0-9]{1,2}))?$/.exec(part);
    if (match === null) return false;
    const from = Number(match[1] ?? min);
    const to = Number(match[2] ?? match[1] ?? max);
    return from >= min && from <= to && to <= max && match[3] !== '0' && match[3] !== '00';
  });
}

/** Days of a month, 1 to 12; of a leap year when no year is given. */
export function daysInMonth(month: number, year = 2000): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}

/** Whether the text is a date and time of the calendar, `YYYY-MM-DD HH:MM`. */
function isDate(text: string): boolean {
  const match = /^([0-9]{4})-([0-9]{2})-([0-9]{2}) ([0-9]{2}):([0-9]{2})$/.exec(text);
  if (match === null) return false;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = match.slice(1).map(Number);
  const inCalendar = year >= 2000 && month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(month, year);
  return inCalendar && hour <= 23 && minute <= 59;
}
