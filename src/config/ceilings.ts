/** How many SMS may be sent, and where to: the defaults, and what the `gateway` section makes of them. */

/** SMS that may be submitted within the last minute, hour and day. Each part of a long message counts; 0 is no limit. */
export interface Rates {
  readonly minute: number;
  readonly hour: number;
  readonly day: number;
}

/** Of all functions together, of each recipient. */
export const totalRates = {
  all: { minute: 1000, hour: 5000, day: 20_000 },
  recipient: { minute: 60, hour: 300, day: 1000 },
} as const satisfies Readonly<Record<string, Rates>>;

/**
 * Of the functions by which others than the owner cause SMS. A modem sends 10 to 20 a minute: more than that for an hour
 * is no ordinary use. A monitoring program sends its alarms of many at once, each to many: the hour bounds it.
 */
export const functionRates = {
  post_get: { minute: 600, hour: 1500, day: 5000 },
  mqtt: { minute: 600, hour: 1500, day: 5000 },
  /** Accounts and tokens of the REST API. */
  account: { minute: 600, hour: 1500, day: 5000 },
  token: { minute: 600, hour: 1500, day: 5000 },
  pop3: { minute: 60, hour: 300, day: 1000 },
  auto_reply: { minute: 30, hour: 200, day: 600 },
  rules: { minute: 30, hour: 200, day: 600 },
  forwarding_to_sms: { minute: 60, hour: 500, day: 2000 },
  /** Its own messages about limits. */
  alarms: { minute: 5, hour: 5, day: 10 },
} as const satisfies Readonly<Record<string, Rates>>;

/** How many SMS may be sent, and where to. Rates count the parts of messages; 0 is no limit. */
export interface CeilingPolicy {
  readonly all: Rates;
  readonly recipient: Rates;
  /** By the name of a function, or of an account of it: `pop3`, `smpp:admin`. */
  readonly functions: ReadonlyMap<string, Rates>;
  readonly allow: readonly Prefix[];
  readonly deny: readonly Prefix[];
}

/** Beginning of numbers, for one function or for all. */
export interface Prefix {
  readonly of: string | undefined;
  readonly begin: string;
}

const noLimit: Rates = { minute: 0, hour: 0, day: 0 };

/** Of a function or an account. */
export const ratesOf = ({ functions }: CeilingPolicy, name: string): Rates => functions.get(name) ?? noLimit;

/** Options of the `gateway` section. */
type CeilingOptions = Readonly<
  Record<`sms_per_${keyof Rates}` | `recipient_per_${keyof Rates}`, number> &
    Record<'function_limit' | 'allow_prefix' | 'deny_prefix', readonly string[]>
>;

/** The ceilings of the `gateway` section. */
export function ceilingPolicy(gateway: CeilingOptions): CeilingPolicy {
  const { function_limit, allow_prefix, deny_prefix } = gateway;
  return {
    all: { minute: gateway.sms_per_minute, hour: gateway.sms_per_hour, day: gateway.sms_per_day },
    recipient: {
      minute: gateway.recipient_per_minute,
      hour: gateway.recipient_per_hour,
      day: gateway.recipient_per_day,
    },
    functions: new Map([...Object.entries(functionRates), ...function_limit.map(ratesOfEntry)]),
    allow: allow_prefix.map(prefixOfEntry),
    deny: deny_prefix.map(prefixOfEntry),
  };
}

/** `pop3 60 300 1000`; the name may have blanks. */
function ratesOfEntry(entry: string): readonly [string, Rates] {
  const words = entry.split(' ');
  const [minute = 0, hour = 0, day = 0] = words.slice(-3).map(Number);
  return [words.slice(0, -3).join(' '), { minute, hour, day }];
}

/** `+370`, or `pop3 +370`. */
function prefixOfEntry(entry: string): Prefix {
  const words = entry.split(' ');
  const begin = words.at(-1) ?? '';
  return { of: words.length > 1 ? words.slice(0, -1).join(' ') : undefined, begin };
}
