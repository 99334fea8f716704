/** Rows of the functions that make HTTP requests. */
import type { OptionRow, Report } from './option.ts';

export const httpHeaders = {
  type: 'list',
  of: {
    type: 'string',
    maxLength: 1000,
    pattern: /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[ \t]*[\x21-\x7e\u{a0}-\u{10ffff}][\t\x20-\x7e\u{a0}-\u{10ffff}]*$/u,
    form: 'a header such as X-Api-Key: abc',
  },
  secret: true,
  label: 'Headers',
  help: 'Headers that each request carries, such as X-Api-Key: abc. They replace those of the same name. A redirect to another server drops them.',
} as const satisfies OptionRow;

export const hmacSecret = {
  type: 'string',
  maxLength: 256,
  secret: true,
  label: 'Signature key',
  help: 'Signs each request: the header X-Signature carries t=<unix time>,v1=<HMAC-SHA256 in hex of time, a dot and the body or query>. Empty: not signed.',
} as const satisfies OptionRow;

export const successCodes = {
  type: 'list',
  of: {
    type: 'string',
    pattern: /^[1-5][0-9]{2}(-[1-5][0-9]{2})?$/,
    form: 'an HTTP status or a range such as 200-299',
  },
  default: ['200-299'],
  label: 'Success codes',
  help: 'HTTP statuses, or ranges of them, that mean the server accepted the message.',
} as const satisfies OptionRow;

/** Headers that frame the request; `octetsOf` in modules/kit writes them. */
const framing: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
const MAX_HEADERS = 20;

/** Checks the rows above. */
export function checkHttpRows<
  S extends { readonly header: readonly string[]; readonly success_codes: readonly string[] },
>(section: S, report: Report): void {
  const { header: headers, success_codes } = section;
  if (headers.length > MAX_HEADERS) {
    report.error(section, 'header', `has ${headers.length} elements, and may have ${MAX_HEADERS}`);
  }
  for (const header of headers) {
    const name = header.slice(0, header.indexOf(':'));
    if (framing.has(name.toLowerCase())) report.error(section, 'header', `${name} is set by the gateway itself`);
  }
  for (const range of success_codes) {
    const [from = 0, to = from] = range.split('-').map(Number);
    if (from > to) report.error(section, 'success_codes', `${range} is empty: its end is below its start`);
  }
}
