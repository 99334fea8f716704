import type { PhoneNumber } from '../../base/phone-number.ts';

/** What an option can name: a `modem` section by its name, a `group` or `command` section by its option `name`. */
export type ReferenceTarget = 'modem' | 'group' | 'command';
/** Characters of a name that a section is referred to by. */
export const MAX_NAME = 64;

/** Options of the same section and the values at which a row counts. */
export type Condition = Readonly<Record<string, readonly string[]>>;

/** The values that are allowed. The reader of UCI, the docs, RPC and the web pages all go by this row. */
export type ScalarRow =
  | { readonly type: 'boolean' }
  /** Decimal, both ends included. `word` is a word allowed in place of a number. */
  | {
      readonly type: 'integer';
      readonly min: number;
      readonly max: number;
      readonly unit?: string;
      readonly word?: string;
    }
  | { readonly type: 'port'; readonly min: 0 | 1 }
  | { readonly type: 'enum'; readonly values: readonly string[] }
  /** Lengths count characters. `form` describes `pattern` in words. */
  | {
      readonly type: 'string';
      readonly minLength?: number;
      readonly maxLength?: number;
      readonly pattern?: RegExp;
      readonly form?: string;
    }
  | { readonly type: 'phone' }
  /** Host name, IPv4 or IPv6 address. */
  | { readonly type: 'host' }
  /** IPv4 or IPv6 address, with or without a prefix length. */
  | { readonly type: 'network' }
  /** `http://`, `https://` or no scheme; credentials, host, port, path, query. Errors do not show it. */
  | { readonly type: 'url' }
  | { readonly type: 'email' }
  /** Absolute path. */
  | { readonly type: 'file' }
  /** The name of another section. */
  | { readonly type: 'reference'; readonly to: ReferenceTarget; readonly when?: Condition }
  /** Five fields of crontab(5), numbers only. */
  | { readonly type: 'cron' }
  /** `YYYY-MM-DD HH:MM`, time of the router. */
  | { readonly type: 'date' };

interface About {
  readonly label: string;
  /** For people; gives the unit of numbers. */
  readonly help: string;
  /** The option is one of the original gateway; absent on our additions. */
  readonly original?: true;
  /** Never shown, logged or put in an error. */
  readonly secret?: true;
  /** No other section of the type has the same value. */
  readonly unique?: true;
  /** Must be set; where the section can be switched off, only while it is on. */
  readonly needed?: true;
}

type SingleRow = ScalarRow & About & { readonly default?: boolean | number | string };
type ListRow = About & {
  readonly type: 'list';
  readonly of: ScalarRow;
  readonly default?: readonly (number | string)[];
  /** What stands for an element that cannot be read, where to leave it out would allow more than was meant. */
  readonly instead?: (element: string) => string;
};

/** One option of a section. */
export type OptionRow = SingleRow | ListRow;

/** A kind of section: its options by their UCI names. */
export interface SectionSchema {
  /** Name of a single section, type of a repeated one. */
  readonly name: string;
  readonly label: string;
  readonly help: string;
  readonly options: Readonly<Record<string, OptionRow>>;
}

type ScalarValue<R> = R extends { type: 'boolean' }
  ? boolean
  : R extends { type: 'integer' | 'port' }
    ? R extends { word: infer W }
      ? number | W
      : number
    : R extends { type: 'enum'; values: readonly (infer V)[] }
      ? V
      : R extends { type: 'phone' }
        ? PhoneNumber
        : string;

type Value<R> = R extends { type: 'list'; of: infer E } ? readonly ScalarValue<E>[] : ScalarValue<R>;

type AlwaysThere<O> = {
  [K in keyof O]: O[K] extends { default: unknown } | { needed: true } | { type: 'list' } ? K : never;
}[keyof O];

/**
 * A section as the program sees it, property names being the UCI option names. Options with a default, needed ones
 * and lists are always there; a needed one is `''` while the section is switched off and does not set it.
 */
export type SectionConfig<S extends SectionSchema> = {
  readonly [K in AlwaysThere<S['options']>]: Value<S['options'][K]>;
} & {
  readonly [K in Exclude<keyof S['options'], AlwaysThere<S['options']>>]?: Value<S['options'][K]>;
};

/** One of several sections of a type. */
export type Repeated<S> = S & {
  /** The section's name; `@type[n]` for an unnamed one, `modem0`, `modem1`, ... for an unnamed modem. */
  readonly section: string;
};

/** Takes what the checks of sections find. The option is the one to change. */
export interface Report {
  /** The last good values of the section stay in force. */
  error<S extends object>(section: S, option: keyof S & string, message: string): void;
  /** The section stays in force, though what it asks for cannot be done here. */
  refusal<S extends object>(section: S, option: keyof S & string, message: string): void;
  warning<S extends object>(section: S, option: keyof S & string, message: string): void;
}
