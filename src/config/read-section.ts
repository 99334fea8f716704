import { didYouMean } from '../base/closest.ts';
import { plainNumberText } from '../base/phone-number.ts';
import type { Problems, SectionPlace } from './problems.ts';
import type { OptionRow, ScalarRow, SectionSchema } from './schema/option.ts';
import type { UciValue } from './uci-parse-lite/index.ts';
import { formOf, parseValue } from './value.ts';

export type Value = boolean | number | string | readonly (boolean | number | string)[];
export type Values = Readonly<Record<string, Value>>;

/** Most elements of a list. */
const MAX_ELEMENTS = 1000;
/** Characters of a wrong value that an error shows. */
const SHOWN = 40;

/** The values of a section; where it does not set an option, or sets it wrongly, the default. */
export function readSection(schema: SectionSchema, place: SectionPlace, problems: Problems): Values {
  const values: Record<string, Value> = {};
  const wrong = new Set<string>();
  for (const [name, row] of Object.entries(schema.options)) {
    const before = problems.count;
    const raw = place.uci?.options.get(name)?.value;
    const value = raw === undefined ? undefined : readOption(name, row, raw, place, problems);
    const either = value ?? defaultOf(row);
    if (either !== undefined) values[name] = either;
    if (problems.count > before) wrong.add(name);
  }
  for (const name of place.uci?.options.keys() ?? []) {
    if (!Object.hasOwn(schema.options, name)) {
      problems.warning(place, name, `unknown option${didYouMean(name, Object.keys(schema.options))}`);
    }
  }
  if (isOn(values)) requireNeeded(schema, values, wrong, place, problems);
  return values;
}

/** `enabled`, or `enable` as a `msg` section spells it. */
export const isSwitch = (option: string): boolean => option === 'enabled' || option === 'enable';

/** Whether the section is in use. */
export function isOn(values: Values): boolean {
  return values['enabled'] !== false && values['enable'] !== false;
}

function defaultOf(row: OptionRow): Value | undefined {
  if (row.default !== undefined) return row.default;
  if (row.type === 'list') return [];
  return row.needed ? '' : undefined;
}

function requireNeeded(
  schema: SectionSchema,
  values: Values,
  wrong: ReadonlySet<string>,
  place: SectionPlace,
  problems: Problems,
): void {
  for (const [name, row] of Object.entries(schema.options)) {
    const value = values[name];
    const missing = value === '' || (Array.isArray(value) && value.length === 0);
    if (row.needed && missing && !wrong.has(name))
      problems.error(place, name, row.type === 'list' ? 'must have at least one element' : 'must be set');
  }
}

function readOption(
  name: string,
  row: OptionRow,
  raw: UciValue,
  place: SectionPlace,
  problems: Problems,
): Value | undefined {
  if (row.type === 'list')
    return readList(name, row, typeof raw === 'string' ? elementsOf(row.of, raw) : raw, place, problems);
  if (typeof raw !== 'string') {
    problems.error(place, name, 'is a list, and must be a single option');
    return undefined;
  }
  const value = readValue(row, raw);
  if (value === undefined) problems.error(place, name, fault(row, raw, row.secret));
  return value;
}

/** A whole number in a list: shorter groups of digits are parts of one number. */
const WHOLE_NUMBER = /^\+?[0-9]{7,}$/;

/**
 * The elements of a list that is written as one option, `option number 'A B'`, as old files and `uci set` do it. A
 * single value that contains blanks stays one element.
 */
function elementsOf(row: ScalarRow, raw: string): readonly string[] {
  const pieces = raw.split(/[\s,;]+/).filter((piece) => piece !== '');
  if (pieces.length < 2) return [raw];
  const isOne =
    row.type === 'string' && row.pattern !== undefined ? parseValue(row, raw) !== undefined : isFreeText(row);
  if (isOne) return [raw];
  const isList = (piece: string) =>
    parseValue(row, piece) !== undefined && (row.type !== 'phone' || WHOLE_NUMBER.test(plainNumberText(piece)));
  return pieces.every(isList) ? pieces : [raw];
}

function readList(
  name: string,
  row: OptionRow & { readonly type: 'list' },
  raw: readonly string[],
  place: SectionPlace,
  problems: Problems,
): Value {
  if (raw.length > MAX_ELEMENTS) problems.error(place, name, `has more than ${MAX_ELEMENTS} elements`);
  return raw.slice(0, MAX_ELEMENTS).flatMap((text, element) => {
    // Web forms leave empty elements behind.
    if (text.trim() === '' && !isFreeText(row.of)) return [];
    const value = readValue(row.of, text);
    if (value === undefined) problems.error(place, name, fault(row.of, text, row.secret), element);
    return value ?? row.instead?.(text) ?? [];
  });
}

/** Of a text with a pattern the blanks around it are dropped where they do not fit: the meaning is clear. */
function readValue(row: ScalarRow, raw: string): boolean | number | string | undefined {
  return (
    parseValue(row, raw) ?? (row.type === 'string' ? parseValue(row, raw.replace(/^[ \t]+|[ \t]+$/g, '')) : undefined)
  );
}

/** Blanks may be part of it. */
const isFreeText = ({ type }: ScalarRow): boolean => type === 'string' || type === 'reference';

function fault(row: ScalarRow, raw: string, secret: boolean | undefined): string {
  // A URL may hold a password or a key.
  if (secret || row.type === 'url') return `must be ${formOf(row)}`;
  const shown = raw.length > SHOWN ? `${raw.slice(0, SHOWN)}...` : raw;
  return `${JSON.stringify(shown)} is not ${formOf(row)}`;
}
