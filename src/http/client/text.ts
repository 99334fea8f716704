/** The catalogue of the language: text, or `text` and context joined by U+0001 → translation, or its plural forms. */
let catalogue: Readonly<Record<string, string | readonly string[]>> = {};
let pluralForm: (n: number) => number = (n) => (n === 1 ? 0 : 1);

export function useCatalogue(entries: Readonly<Record<string, string | readonly string[]>>, language: string): void {
  catalogue = entries;
  pluralForm = pluralForms[language] ?? pluralForm;
}

/** Which plural form goes with a number, in the order of the language's po file. */
const pluralForms: Readonly<Record<string, (n: number) => number>> = {
  lt: (n) => (n % 10 === 1 && n % 100 !== 11 ? 0 : n % 10 >= 2 && (n % 100 < 10 || n % 100 >= 20) ? 1 : 2),
  pl: (n) => (n === 1 ? 0 : n % 10 >= 2 && n % 10 <= 4 && (n % 100 < 10 || n % 100 >= 20) ? 1 : 2),
  fr: (n) => (n > 1 ? 1 : 0),
};

const keyOf = (text: string, context?: string): string => {
  const collapsed = text.replace(/[ \t\n]+/g, ' ').trim();
  return context === undefined ? collapsed : `${collapsed}\u0001${context}`;
};

/** LuCI's `_`. */
export function _(text: string, context?: string): string {
  const found = catalogue[keyOf(text, context)];
  return typeof found === 'string' && found !== '' ? found : text;
}

/** LuCI's `N_`. */
export function N_(n: number, one: string, many: string, context?: string): string {
  const found = catalogue[keyOf(one, context)];
  const form = Array.isArray(found) ? found[pluralForm(n)] : undefined;
  return form !== undefined && form !== '' ? form : n === 1 ? one : many;
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&#38;',
  '<': '&#60;',
  '>': '&#62;',
  '"': '&#34;',
  "'": '&#39;',
};

/** LuCI's `'…'.format(…)`: printf with `%h` for HTML, `%t` for a span of time, `%m` for a number with its unit. */
export function format(text: string, args: readonly unknown[]): string {
  let at = 0;
  return text.replace(
    /%(?:%|([+#0 -]*)(\d+)?(?:\.(\d+))?([bcdefhjmoqsStuxXP]))/g,
    (all: string, flags = '', width?: string, precision?: string, kind?: string) => {
      if (kind === undefined) return all === '%%' ? '%' : all;
      const shown = formatOne(args[at++], kind, precision === undefined ? undefined : Number(precision), flags);
      const size = Number(width ?? 0);
      if (flags.includes('-')) return shown.padEnd(size);
      return shown.padStart(size, flags.includes('0') ? '0' : ' ');
    },
  );
}

function formatOne(value: unknown, kind: string, precision: number | undefined, flags: string): string {
  const number = Number(value) || 0;
  const signed = (text: string) => (flags.includes('+') && number >= 0 ? `+${text}` : text);
  switch (kind) {
    case 'd':
    case 'u':
      return signed(String(Math.trunc(number)));
    case 'f':
    case 'e':
      return signed(number.toFixed(precision ?? 6));
    case 'b':
    case 'o':
      return number.toString(kind === 'b' ? 2 : 8);
    case 'x':
      return number.toString(16);
    case 'X':
      return number.toString(16).toUpperCase();
    case 'c':
      return String.fromCharCode(number);
    case 'j':
      return JSON.stringify(value);
    case 'h':
    case 'q':
      return String(value ?? '').replace(/[&<>"']/g, (char) => escapes[char] ?? char);
    case 't':
      return span(number);
    case 'm':
      return withUnit(number, precision ?? 2);
    default:
      return precision === undefined ? String(value ?? '') : String(value ?? '').slice(0, precision);
  }
}

function span(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [days, hours, minutes] = [
    Math.floor(whole / 86_400),
    Math.floor(whole / 3600) % 24,
    Math.floor(whole / 60) % 60,
  ];
  if (days > 0) return `${days}d ${hours}h ${minutes}m ${whole % 60}s`;
  if (hours > 0) return `${hours}h ${minutes}m ${whole % 60}s`;
  return minutes > 0 ? `${minutes}m ${whole % 60}s` : `${whole % 60}s`;
}

function withUnit(number: number, precision: number): string {
  const units = ['', 'K', 'M', 'G', 'T', 'P'];
  let at = 0;
  let value = number;
  while (Math.abs(value) >= 1000 && at < units.length - 1) {
    value /= 1000;
    at++;
  }
  return at === 0 ? String(value) : `${value.toFixed(precision)} ${units[at]}`;
}

declare global {
  interface String {
    format(...args: unknown[]): string;
  }
}

/** Views call it on their texts. */
export function extendString(): void {
  Object.defineProperty(String.prototype, 'format', {
    value(this: string, ...args: unknown[]) {
      return format(String(this), args);
    },
    writable: true,
    configurable: true,
  });
}
