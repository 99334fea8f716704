import { isIP } from 'node:net';
import { parseHttpUrl } from '../../base/http-url.ts';
import { parsePhoneNumber } from '../../base/phone-number.ts';
import type { ScalarRow } from '../schema/option.ts';
import { isCron } from './cron.ts';
import { isDate } from './date.ts';

/** The words that OpenWrt's config_get_bool knows. */
const yes: ReadonlySet<string> = new Set(['1', 'on', 'true', 'yes', 'enabled']);
const no: ReadonlySet<string> = new Set(['0', 'off', 'false', 'no', 'disabled']);

/**
 * The value that the text stands for, or undefined when it is none of this row. Blanks around it go, but for texts:
 * theirs may be meant. Words are taken in any case.
 */
export function parseValue(row: ScalarRow, raw: string): boolean | number | string | undefined {
  if (row.type === 'string') return isText(row, raw) ? raw : undefined;
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

type StringRow = Extract<ScalarRow, { type: 'string' }>;

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
  // biome-ignore lint/suspicious/noControlCharactersInRegex: an address holds none
  const match = /^[^\s\u0000-\u001f\u007f-\u009f@<>(),;:"\\]{1,64}@([^@]+)$/u.exec(text);
  return match !== null && text.length <= 254 && isHost(match[1] ?? '');
}
