import { isUtf8 } from 'node:buffer';
import { isJsonObject, type Json } from '../../base/json.ts';
import type { CgiRequest } from '../host/contract.ts';

type Pair = readonly [name: string, value: string];

/**
 * The parameters of a request; of repeated names the first wins. A GET has them in the query. A POST has them in the
 * body, as libcgi finds them: read as a form whatever the Content-Type says. In addition a body may be a JSON object or
 * multipart/form-data, and what the body does not name is looked for in the query. The web servers bound the length.
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

/** application/x-www-form-urlencoded, one character an octet. A `%` without two hexadecimal digits stands for itself. */
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

/** Octets are UTF-8; what is not valid UTF-8 was written by a client that knows Latin-1 only. */
function decode(latin1: string): string {
  const octets = Buffer.from(latin1, 'latin1');
  return octets.toString(isUtf8(octets) ? 'utf8' : 'latin1');
}

/** Some clients end the body with CR LF, which belongs to no value. */
function withoutLineEnd(body: string): string {
  let end = body.length;
  while (end > 0 && (body[end - 1] === '\n' || body[end - 1] === '\r')) end--;
  return body.slice(0, end);
}

/** curl calls a JSON body a form unless it is asked not to: what it is decides. Undefined when it is no object. */
function jsonPairs(body: string): readonly Pair[] | undefined {
  const text = decode(body).replace(/^\u{FEFF}/u, '');
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (!isJsonObject(value)) return undefined;
    return Object.entries(value).flatMap(([name, member]): Pair[] => {
      // A list stands for its elements with commas, as `number` may have them.
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

/** RFC 7578. Without its closing delimiter a body broke off, and nothing of it counts: half a text must not be sent. */
function multipartPairs(body: string, boundary: string): readonly Pair[] {
  const escaped = boundary.replace(/[^A-Za-z0-9]/g, '\\$&');
  const delimiter = new RegExp(`\\r?\\n--${escaped}(--)?[ \\t]*(?=\\r?\\n|$)`, 'g');
  const pairs: Pair[] = [];
  let from: number | undefined;
  const whole = `\n${body}`;
  for (const match of whole.matchAll(delimiter)) {
    if (from !== undefined) pairs.push(...partPair(whole.slice(from, match.index)));
    if (match[1] !== undefined) return pairs;
    from = match.index + match[0].length;
  }
  return [];
}

/** A part from behind its delimiter, the line end there included. */
function partPair(part: string): readonly Pair[] {
  const blank = /\r?\n\r?\n/.exec(part);
  if (blank === null) return [];
  const name = /;\s*name=(?:"([^"]*)"|([^;\s]+))/i.exec(part.slice(0, blank.index));
  return [[decode(name?.[1] ?? name?.[2] ?? ''), decode(part.slice(blank.index + blank[0].length))]];
}
