import { isUtf8 } from 'node:buffer';
import { type ErrorCode, GatewayError } from '../../base/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../base/json.ts';
import type { CgiAnswer, CgiRequest } from '../host/contract.ts';

type Pair = readonly [name: string, value: string];

/**
 * The parameters of a request; the first of equal names counts. A GET has them in the query, a POST in the body, which is
 * read as a form whatever the Content-Type says, as libcgi does. A body may also be a JSON object or multipart/form-data.
 * Parameters missing in the body are taken from the query. The web servers limit the length.
 */
export function parametersOf(request: CgiRequest): ReadonlyMap<string, string> {
  const pairs = request.method === 'POST' ? bodyPairs(request) : [];
  const parameters = new Map<string, string>();
  for (const [name, value] of [...pairs, ...formPairs(request.query)]) {
    if (name !== '' && !parameters.has(name)) parameters.set(name, value);
  }
  return parameters;
}

function bodyPairs({ contentType, body }: CgiRequest): readonly Pair[] {
  const boundary = boundaryOf(contentType);
  if (boundary !== undefined) return multipartPairs(body, boundary);
  return jsonPairs(body) ?? formPairs(withoutLineEnd(body));
}

/** application/x-www-form-urlencoded, a character for each octet. `%` without two hexadecimal digits stays as it is. */
function formPairs(encoded: string): readonly Pair[] {
  return encoded.split('&').map((pair) => {
    const equals = pair.indexOf('=');
    return equals === -1
      ? [unescaped(pair), '']
      : [unescaped(pair.slice(0, equals)), unescaped(pair.slice(equals + 1))];
  });
}

function unescaped(encoded: string): string {
  return decode(
    encoded
      .replaceAll('+', ' ')
      .replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
  );
}

/** Octets are UTF-8, or Latin-1 where they are not valid UTF-8. */
function decode(latin1: string): string {
  const octets = Buffer.from(latin1, 'latin1');
  return octets.toString(isUtf8(octets) ? 'utf8' : 'latin1');
}

/** Some clients end the body with CR LF, which is not part of a value. */
function withoutLineEnd(body: string): string {
  let end = body.length;
  while (end > 0 && (body[end - 1] === '\n' || body[end - 1] === '\r')) end--;
  return body.slice(0, end);
}

/** Recognised by its content, since curl labels every body as a form by default. Undefined unless it is an object. */
function jsonPairs(body: string): readonly Pair[] | undefined {
  const text = decode(body).replace(/^\u{FEFF}/u, '');
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (!isJsonObject(value)) return undefined;
    return Object.entries(value).flatMap(([name, member]): Pair[] => {
      // A list is joined with commas, as in `number`.
      const texts = (Array.isArray(member) ? member : [member]).flatMap(scalarText);
      return texts.length === 0 ? [] : [[name, texts.join(',')]];
    });
  } catch {
    return undefined;
  }
}

function scalarText(value: Json | undefined): readonly string[] {
  return value === undefined || value === null || typeof value === 'object' ? [] : [`${value}`];
}

function boundaryOf(contentType: string): string | undefined {
  if (!/^\s*multipart\/form-data\s*;/i.test(contentType)) return undefined;
  const match = /;\s*boundary=(?:"([ -!#-~]{1,200})"|([!#-:<-~]{1,200}))/i.exec(contentType);
  return match?.[1] ?? match?.[2];
}

/**
 * RFC 7578. A body without its closing delimiter broke off and has no parameters: half a text must not be sent. Nor has one
 * with a part that cannot be read: what stands there is not what was meant.
 */
function multipartPairs(body: string, boundary: string): readonly Pair[] {
  const escaped = boundary.replace(/[^A-Za-z0-9]/g, '\\$&');
  const delimiter = new RegExp(`\\r?\\n--${escaped}(--)?[ \\t]*(?=\\r?\\n|$)`, 'g');
  const pairs: Pair[] = [];
  let from: number | undefined;
  const whole = `\n${body}`;
  for (const match of whole.matchAll(delimiter)) {
    const part = from === undefined ? [] : partPair(whole.slice(from, match.index));
    if (part === undefined) return [];
    pairs.push(...part);
    if (match[1] !== undefined) return pairs;
    from = match.index + match[0].length;
  }
  return [];
}

/** Reads a part, which begins with the line end of its delimiter; undefined when its encoding cannot be undone. */
function partPair(part: string): readonly Pair[] | undefined {
  const blank = /\r?\n\r?\n/.exec(part);
  if (blank === null) return [];
  const head = part.slice(0, blank.index);
  const value = transferDecoded(head, part.slice(blank.index + blank[0].length));
  return value === undefined ? undefined : [[fieldName(head), decode(value)]];
}

/** RFC 7578 4.7 deprecates Content-Transfer-Encoding, and libraries made for mail still write it. */
function transferDecoded(head: string, content: string): string | undefined {
  const encoding = /(?:^|\n)content-transfer-encoding[ \t]*:[ \t]*"?([^\s";]*)/i.exec(head)?.[1] ?? '';
  switch (encoding.toLowerCase()) {
    case '':
    case '7bit':
    case '8bit':
    case 'binary':
      return content;
    case 'base64': {
      const letters = content.replace(/\s+/g, '');
      if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/.test(letters)) return undefined;
      return Buffer.from(letters, 'base64').toString('latin1');
    }
    case 'quoted-printable': {
      // RFC 2045 6.7: a `=` at the end joins a line with the next.
      const lines = content.replace(/=[ \t]*\r?\n/g, '');
      if (/=(?![0-9A-Fa-f]{2})/.test(lines)) return undefined;
      return lines.replace(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
    }
    default:
      return undefined;
  }
}

/** The `name` of Content-Disposition; a file name may hold what looks like another one. */
function fieldName(head: string): string {
  const disposition = /(?:^|\n)content-disposition[ \t]*:([^\n]*)/i.exec(head)?.[1] ?? '';
  const parameters = disposition.matchAll(/;\s*([a-z*]{1,20})\s*=\s*(?:"([^"]*)"|([^;\s]*))/gi);
  for (const [, name, quoted, bare] of parameters) {
    if (name?.toLowerCase() === 'name') return decode(quoted ?? bare ?? '');
  }
  return '';
}

/** The result of a script, as text and as JSON. */
export interface Reply {
  /** The reported failure, which gives the HTTP status. */
  readonly error?: GatewayError;
  text(): string;
  json(): JsonObject;
}

export interface AnswerForm {
  readonly json: boolean;
  /** Errors have their own HTTP status. Off: 200 as the original, but 401 for a login and 405 for a method. */
  readonly strictStatus: boolean;
}

export function formOf(
  parameters: ReadonlyMap<string, string>,
  config: { readonly strict_status: boolean },
): AnswerForm {
  return { json: parameters.get('format') === 'json', strictStatus: config.strict_status };
}

/** The original's words. `invalid_argument` has the word in its message, everything else is ERROR. */
const words: Partial<Record<ErrorCode, string>> = {
  access_denied: 'Bad username or password',
  too_many: 'Bad username or password',
  module_unavailable: 'Disabled',
  timeout: 'TIMEOUT',
  invalid_number: 'WRONG_NUMBER',
  message_not_found: 'no message',
  group_not_found: 'Group not found',
  group_empty: 'Phone group is empty',
};

export function errorReply(error: GatewayError): Reply {
  return {
    error,
    text: () => `${error.code === 'invalid_argument' ? error.message : (words[error.code] ?? 'ERROR')}\n`,
    json: () => ({ error: { code: error.code, message: error.message } }),
  };
}

export function answerOf(reply: Reply, form: AnswerForm): CgiAnswer {
  const status = reply.error === undefined ? 200 : errorStatus(reply.error, form.strictStatus);
  return form.json
    ? { status, contentType: 'application/json', body: `${JSON.stringify(reply.json())}\n` }
    : { status, contentType: 'text/plain;charset=utf-8', body: reply.text() };
}

function errorStatus(error: GatewayError, strict: boolean): number {
  if (error.code === 'access_denied') return 401;
  if (strict) return error.mapping.http;
  return error.code === 'too_many' ? 401 : 200;
}

/** The answer to other methods, in text and JSON form, before any other check. */
export const methodNotAllowed: CgiAnswer = {
  status: 405,
  contentType: 'text/plain;charset=utf-8',
  body: 'Method Not Allowed\n',
};

/**
 * The answer while Post/Get does not run: `Disabled` where it is switched off; `ERROR` while it starts or after a failed
 * start, so that clients ask again.
 */
export function notRunningAnswer(
  request: CgiRequest,
  config: { readonly enabled: boolean; readonly strict_status: boolean },
): CgiAnswer {
  if (request.method !== 'GET' && request.method !== 'POST') return methodNotAllowed;
  const error = config.enabled
    ? new GatewayError('stopping', 'Post/Get is not running')
    : new GatewayError('module_unavailable', 'Post/Get is switched off');
  return answerOf(errorReply(error), formOf(parametersOf(request), config));
}
