import { budgets } from '../../access/budgets.ts';
import { parseInstant } from '../../base/clock.ts';
import { GatewayError } from '../../base/errors.ts';
import { defined, isJsonObject, type Json, type JsonObject } from '../../base/json.ts';
import { type PhoneNumber, parsePhoneNumber, plainNumberText } from '../../base/phone-number.ts';
import type { Config } from '../../config/config.ts';
import type { SubmitRequest } from '../../store/outbox/outbox.ts';

/** What a request asks for: one message to each number. */
export interface SendRequest {
  readonly numbers: readonly PhoneNumber[];
  readonly clientRef?: string;
  /** The message as it goes to one of them. */
  readonly message: Pick<SubmitRequest, 'content' | 'modem' | 'priority' | 'validity' | 'report' | 'notBefore'>;
}

const MAX_RECIPIENTS = budgets.mqtt.recipients.limit;
/** As in `message.send`. */
const MAX_REF = 128;
/** TS 23.040 9.2.3.12.1: the longest relative validity period is 63 weeks. Minutes. */
const MAX_VALIDITY = 63 * 7 * 24 * 60;

const fields: ReadonlySet<string> = new Set([
  ...['number', 'group', 'numbers', 'text', 'client_ref', 'modem'],
  ...['priority', 'validity', 'flash', 'report', 'not_before'],
]);

interface Surroundings {
  readonly groups: Config['groups'];
  hasModem(name: string): boolean;
}

/**
 * Reads a request. Below the topic of requests stands the number, and the payload is the text; else the payload is a JSON
 * object with the arguments of `message.send`, or the number, a blank and the text. Throws GatewayError.
 */
export function readRequest(payload: Buffer, below: string | undefined, around: Surroundings): SendRequest {
  const text = utf8(payload);
  if (below !== undefined) return plain(below, text);
  const start = text.trimStart();
  if (start.startsWith('{')) return fromFields(tableOf(start), around);
  const [, number, rest] = /^(\S+)\s+([\s\S]+)$/.exec(start) ?? [];
  if (number === undefined || rest === undefined) {
    throw new GatewayError('invalid_request', 'wanted a JSON object, or a number, a blank and the text');
  }
  checkWhole(number, rest);
  return plain(number, rest);
}

/** Fewest digits of a number that is whole whatever follows it, with a country code and without. */
const WHOLE = { international: 9, national: 7 };

/**
 * A number that is written with blanks would end at the first of them, and the message would go to somebody else. Where it
 * ends cannot be told from a text that begins with digits, so a short number in front of digits is refused.
 */
function checkWhole(number: string, text: string): void {
  const parsed = parsePhoneNumber(number);
  if (parsed === undefined || /[*#]/.test(parsed) || !/^[\s\-./(]*[0-9]/.test(plainNumberText(text))) return;
  const [digits, least] = parsed.startsWith('+')
    ? [parsed.length - 1, WHOLE.international]
    : [parsed.length, WHOLE.national];
  if (digits >= least) return;
  throw new GatewayError(
    'invalid_number',
    `${clip(number)} in front of digits may be the beginning of a number with blanks: write it without them, or send JSON`,
  );
}

/** The reference of the requester, as far as it can be read, for an answer that says what is wrong. */
export function referenceIn(payload: Buffer): string | undefined {
  try {
    const value: unknown = JSON.parse(payload.toString('utf8'));
    const reference = isJsonObject(value) ? value['client_ref'] : undefined;
    return typeof reference === 'string' && reference.length <= MAX_REF ? reference : undefined;
  } catch {
    return undefined;
  }
}

function utf8(payload: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(payload);
  } catch {
    throw new GatewayError('invalid_text', 'the payload is no UTF-8');
  }
}

function tableOf(text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new GatewayError('parse_error', 'the payload is no JSON');
  }
  if (!isJsonObject(value)) throw new GatewayError('invalid_request', 'wanted a JSON object');
  return value;
}

const plain = (number: string, text: string): SendRequest => ({
  numbers: [phone(number)],
  message: { content: { type: 'text', text } },
});

function fromFields(table: JsonObject, around: Surroundings): SendRequest {
  for (const name of Object.keys(table)) {
    if (!fields.has(name)) throw new GatewayError('invalid_argument', `${clip(name)} is not known`);
  }
  const modem = optional(table, 'modem', 'string');
  if (modem !== undefined && !around.hasModem(modem)) {
    throw new GatewayError('modem_not_found', `no modem ${clip(modem)}`);
  }
  const text = optional(table, 'text', 'string');
  if (text === undefined) throw new GatewayError('invalid_argument', 'text must be given');
  const clientRef = optional(table, 'client_ref', 'string');
  if (clientRef !== undefined && (clientRef === '' || clientRef.length > MAX_REF)) {
    throw new GatewayError('invalid_argument', `client_ref: wanted 1 to ${MAX_REF} characters`);
  }
  const validity = integer(table, 'validity', 1, MAX_VALIDITY);
  const flash = optional(table, 'flash', 'boolean');
  return defined({
    numbers: recipients(table, around.groups),
    clientRef,
    message: defined({
      content: { type: 'text' as const, text, ...(flash === true && { flash: true }) },
      modem,
      priority: integer(table, 'priority', 0, 3) as 0 | 1 | 2 | 3 | undefined,
      validity: validity === undefined ? undefined : validity * 60,
      report: optional(table, 'report', 'boolean'),
      notBefore: time(table, 'not_before'),
    }),
  });
}

function recipients(table: JsonObject, groups: Config['groups']): readonly PhoneNumber[] {
  const number = optional(table, 'number', 'string');
  const group = optional(table, 'group', 'string');
  const numbers = table['numbers'];
  const given = [number, group, numbers].filter((each) => each !== undefined).length;
  if (given !== 1) throw new GatewayError('invalid_argument', `wanted one of number, group and numbers, got ${given}`);
  if (number !== undefined) return [phone(number)];
  if (group !== undefined) return members(group, groups);
  if (!Array.isArray(numbers) || numbers.length === 0) {
    throw new GatewayError('invalid_argument', 'numbers: wanted an array of phone numbers');
  }
  return limited(numbers.map((each: Json) => phone(typeof each === 'string' ? each : JSON.stringify(each))));
}

function members(name: string, groups: Config['groups']): readonly PhoneNumber[] {
  const found = groups.find((group) => group.name === name)?.tel;
  if (found === undefined) throw new GatewayError('group_not_found', `no group ${clip(name)}`);
  if (found.length === 0) throw new GatewayError('group_empty', `group ${clip(name)} has no members`);
  return [...new Set(found)];
}

function limited(numbers: readonly PhoneNumber[]): readonly PhoneNumber[] {
  // A number that stands there twice gets the message once.
  const different = [...new Set(numbers)];
  if (different.length > MAX_RECIPIENTS) {
    throw new GatewayError('too_large', `numbers: wanted at most ${MAX_RECIPIENTS}, got ${different.length}`);
  }
  return different;
}

function phone(text: string): PhoneNumber {
  const number = parsePhoneNumber(text);
  if (number === undefined) throw new GatewayError('invalid_number', `${clip(text)} is no phone number`);
  return number;
}

interface Types {
  readonly string: string;
  readonly boolean: boolean;
}

function optional<T extends keyof Types>(table: JsonObject, name: string, type: T): Types[T] | undefined {
  const value = table[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== type) throw new GatewayError('invalid_argument', `${name}: wanted a ${type}`);
  return value as Types[T];
}

function integer(table: JsonObject, name: string, min: number, max: number): number | undefined {
  const value = table[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw new GatewayError('invalid_argument', `${name}: wanted a number from ${min} to ${max}`);
  }
  return value;
}

function time(table: JsonObject, name: string): number | undefined {
  const text = optional(table, name, 'string');
  if (text === undefined) return undefined;
  const isForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/.test(text);
  const at = isForm ? parseInstant(text) : undefined;
  if (at === undefined) throw new GatewayError('invalid_argument', `${name}: wanted ISO 8601 with Z or an offset`);
  return at;
}

/** What a stranger wrote, for an error. */
const clip = (text: string): string => JSON.stringify(text.length > 50 ? `${text.slice(0, 50)}…` : text);
