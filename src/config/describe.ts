import type { Json, JsonObject } from '../base/json.ts';
import { repeatedSections, singleSections } from './schema/index.ts';
import type { OptionRow, ScalarRow, SectionSchema } from './schema/option.ts';
import { formOf, referenceText } from './value.ts';

/** The schema tables as JSON, for the RPC method `describe`: sections by their UCI name or type, options by their UCI name. */
export function describeSchema(): JsonObject {
  const single = Object.values(singleSections).map((schema) => describeSection(schema, false));
  const repeated = Object.values(repeatedSections).map((schema) => describeSection(schema, true));
  return Object.fromEntries([...single, ...repeated]);
}

function describeSection(schema: SectionSchema, repeated: boolean): [string, JsonObject] {
  const { name, label, help } = schema;
  const options = Object.entries(schema.options).map(([option, row]) => [option, describeOption(row)]);
  return [name, { label, help, repeated, options: Object.fromEntries(options) }];
}

function describeOption(row: OptionRow): JsonObject {
  const { label, help } = row;
  return {
    ...(row.type === 'list' ? { type: 'list', of: describeScalar(row.of) } : describeScalar(row)),
    // Default passwords are public knowledge, and the pages must show that they are still in use.
    ...(row.default === undefined ? {} : { default: row.default }),
    label,
    help,
    origin: row.original ? 'original' : 'added',
    ...(row.secret ? { secret: true } : {}),
    ...(row.needed ? { needed: true } : {}),
  };
}

function describeScalar(row: ScalarRow): JsonObject {
  if (row.type === 'reference') return describeScalar(referenceText);
  const { type } = row;
  const form = formOf(row);
  switch (row.type) {
    case 'integer':
      return { type, form, ...known({ min: row.min, max: row.max, unit: row.unit, word: row.word }) };
    case 'port':
      return { type, form, min: row.min, max: 65_535 };
    case 'enum':
      return { type, form, values: row.values };
    case 'string':
      return { type, form, ...known({ min_length: row.minLength, max_length: row.maxLength }) };
    default:
      return { type, form };
  }
}

function known(values: Readonly<Record<string, Json | undefined>>): JsonObject {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
