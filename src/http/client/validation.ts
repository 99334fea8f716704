import { _, format } from './text.ts';

/** A fault in words, or undefined when the value will do. */
type Check = (value: string, args: readonly Expression[]) => string | undefined;

/** A datatype as it is written: `and(uinteger,range(1,5))`; arguments may be numbers and quoted texts. */
type Expression = { readonly name: string; readonly args: readonly Expression[] } | string;

/** What an option's own `validate` returns: true, or a fault. */
export type Validate = (value: unknown) => unknown;

const integer = (text: string): number | undefined => (/^-?\d+$/.test(text) ? Number(text) : undefined);
const decimal = (text: string): number | undefined => (/^-?\d*\.?\d+$/.test(text) ? Number(text) : undefined);

const word = (argument: Expression | undefined): string =>
  argument === undefined ? '' : typeof argument === 'string' ? argument : argument.name;
const number = (argument: Expression | undefined): number => Number(word(argument));

const expect = (good: boolean, what: string): string | undefined => (good ? undefined : what);
const octets = (value: string): number => new TextEncoder().encode(value).length;

function isIpv4(text: string): boolean {
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255);
}

function isIpv6(text: string): boolean {
  const halves = text.split('::');
  if (halves.length > 2 || text === '') return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  const last = groups.at(-1);
  const v4 = last?.includes('.') === true;
  if (v4 && !isIpv4(last ?? '')) return false;
  const plain = v4 ? groups.slice(0, -1) : groups;
  if (!plain.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return false;
  const length = plain.length + (v4 ? 2 : 0);
  return halves.length === 2 ? length <= 7 : length === 8;
}

function isAddress(text: string, prefixes: boolean): boolean {
  const [address = '', prefix, ...rest] = text.split('/');
  if (rest.length > 0 || (prefix !== undefined && !prefixes)) return false;
  const bits = isIpv4(address) ? 32 : isIpv6(address) ? 128 : 0;
  return bits > 0 && (prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits));
}

const isHostname = (text: string): boolean =>
  text.length <= 253 &&
  /^(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9])?\.)*[a-z0-9_](?:[a-z0-9_-]*[a-z0-9])?$/i.test(text) &&
  /[^0-9.]/.test(text);

const isPort = (text: string): boolean => (integer(text) ?? -1) >= 0 && Number(text) <= 65_535 && !text.startsWith('-');

function isTime(text: string): boolean {
  const [, hours, minutes, seconds] = /^(\d\d):(\d\d):(\d\d)$/.exec(text) ?? [];
  return hours !== undefined && Number(hours) < 24 && Number(minutes) < 60 && Number(seconds) < 60;
}

function isDate(text: string): boolean {
  const date = /^\d{4}-\d\d-\d\d$/.test(text) ? new Date(`${text}T00:00:00Z`) : undefined;
  return date !== undefined && !Number.isNaN(date.valueOf()) && date.toISOString().startsWith(text);
}

const types: Readonly<Record<string, Check>> = {
  or(value, args) {
    const faults = args.map((argument) => check(argument, value));
    return faults.includes(undefined)
      ? undefined
      : `${_('One of the following: %s').format('')}\n - ${faults.join('\n - ')}`;
  },
  and: (value, args) => args.map((argument) => check(argument, value)).find((fault) => fault !== undefined),
  not: (value, [argument]) =>
    expect(
      argument === undefined || check(argument, value) !== undefined,
      _('Potential negation of: %s').format(word(argument)),
    ),
  neg: (value, [argument]) => (argument === undefined ? undefined : check(argument, value.replace(/^\s*!\s*/, ''))),
  list(value, [argument]) {
    if (argument === undefined) return undefined;
    return value
      .split(/\s+/)
      .filter((item) => item !== '')
      .map((item) => check(argument, item))
      .find((fault) => fault !== undefined);
  },
  string: () => undefined,
  bool: (value) => expect(/^[01]$/.test(value), _('valid boolean')),
  integer: (value) => expect(integer(value) !== undefined, _('valid integer value')),
  uinteger: (value) => expect((integer(value) ?? -1) >= 0, _('positive integer value')),
  float: (value) => expect(decimal(value) !== undefined, _('valid decimal value')),
  ufloat: (value) => expect((decimal(value) ?? -1) >= 0, _('positive decimal value')),
  ipaddr: (value) => expect(isAddress(value, true), _('valid IP address')),
  ip4addr: (value) => expect(isAddress(value, true) && !value.includes(':'), _('valid IPv4 address')),
  ip6addr: (value) => expect(isAddress(value, true) && value.includes(':'), _('valid IPv6 address')),
  port: (value) => expect(isPort(value), _('valid port value')),
  portrange(value) {
    const [from = '', to = from, ...rest] = value.split('-');
    const good = rest.length === 0 && isPort(from) && isPort(to) && Number(from) <= Number(to);
    return expect(good, _('valid port or port range (port1-port2)'));
  },
  macaddr: (value) => expect(/^(?:[0-9a-f]{1,2}:){5}[0-9a-f]{1,2}$/i.test(value), _('valid MAC address')),
  hostname: (value) => expect(isHostname(value), _('valid hostname')),
  host: (value) => expect(isHostname(value) || isAddress(value, false), _('valid hostname or IP address')),
  network: (value) =>
    expect(
      /^[a-z0-9_.-]+$/i.test(value) || isAddress(value, true),
      _('valid UCI identifier, hostname or IP address range'),
    ),
  hostport(value) {
    const [host = '', port = '', ...rest] = value.split(':');
    return expect(rest.length === 0 && (isHostname(host) || isIpv4(host)) && isPort(port), _('valid host:port'));
  },
  uciname: (value) => expect(/^[a-zA-Z0-9_]+$/.test(value), _('valid UCI identifier')),
  range: (value, [low, high]) =>
    expect(
      (decimal(value) ?? Number.NaN) >= number(low) && Number(value) <= number(high),
      _('value between %s and %s').format(word(low), word(high)),
    ),
  min: (value, [low]) =>
    expect((decimal(value) ?? Number.NaN) >= number(low), _('value greater or equal to %s').format(word(low))),
  max: (value, [high]) =>
    expect((decimal(value) ?? Number.NaN) <= number(high), _('value smaller or equal to %s').format(word(high))),
  length: (value, [length]) =>
    expect(octets(value) === number(length), _('value with %d characters').format(number(length))),
  rangelength: (value, [low, high]) =>
    expect(
      octets(value) >= number(low) && octets(value) <= number(high),
      _('value between %d and %d characters').format(number(low), number(high)),
    ),
  minlength: (value, [low]) =>
    expect(octets(value) >= number(low), _('value with at least %d characters').format(number(low))),
  maxlength: (value, [high]) =>
    expect(octets(value) <= number(high), _('value with at most %d characters').format(number(high))),
  device: (value) => expect(/^\S+$/.test(value), _('valid device name')),
  phonedigit: (value) => expect(/^[0-9*#!.]+$/.test(value), _('valid phone digit (0-9, "*", "#", "!" or ".")')),
  timehhmmss: (value) => expect(isTime(value), _('valid time (HH:MM:SS)')),
  dateyyyymmdd: (value) => expect(isDate(value), _('valid date (YYYY-MM-DD)')),
  file: () => undefined,
  directory: () => undefined,
};

/** Undefined for a type that is not known: then, as in LuCI, nothing is checked at all. */
function parseDatatype(text: string): Expression | undefined {
  let at = 0;
  const parse = (): Expression => {
    const rest = text.slice(at);
    const quoted = /^\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')\s*/.exec(rest);
    if (quoted !== null) {
      at += quoted[0].length;
      return (quoted[1] ?? quoted[2] ?? '').replace(/\\(.)/g, '$1');
    }
    const head = /^\s*([^(),]*?)\s*(?=[(),]|$)/.exec(rest);
    at += head?.[0].length ?? 0;
    const args: Expression[] = [];
    if (text[at] === '(') {
      do {
        at++;
        args.push(parse());
      } while (text[at] === ',');
      at++;
      at += /^\s*/.exec(text.slice(at))?.[0].length ?? 0;
    }
    return { name: head?.[1] ?? '', args };
  };
  const parsed = parse();
  return typeof parsed !== 'string' && isKnown(parsed) ? parsed : undefined;
}

function isKnown(expression: Expression): boolean {
  if (typeof expression === 'string') return true;
  const { name, args } = expression;
  if (/^-?[\d.]+$/.test(name)) return true;
  return (
    Object.hasOwn(types, name) &&
    args.every((argument) => (['or', 'and', 'not', 'neg', 'list'].includes(name) ? isKnown(argument) : true))
  );
}

function check(expression: Expression, value: string): string | undefined {
  if (typeof expression === 'string') return expect(value === expression, expression);
  const { name, args } = expression;
  const type = types[name];
  if (type !== undefined) return type(value, args);
  return expect(value === name, name);
}

export interface Rules {
  readonly datatype?: string | undefined;
  readonly optional?: boolean | undefined;
  readonly validate?: Validate | undefined;
}

/** What is wrong with a value; undefined when nothing is. */
export function findFault(value: string, { datatype, optional, validate }: Rules): string | undefined {
  const type = datatype === undefined || datatype === '' ? undefined : parseDatatype(datatype);
  if (datatype !== undefined && datatype !== '' && type === undefined) return undefined;
  if (value === '') {
    if (optional === false) return _('non-empty value');
  } else if (type !== undefined) {
    const fault = check(type, value);
    if (fault !== undefined) return format(_('Expecting: %s'), [fault]);
  }
  const own = validate?.(value);
  return own === undefined || own === true || own === null ? undefined : String(own || _('Invalid value'));
}
