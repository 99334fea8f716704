import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { gateway } from '../../src/config/schema/gateway.ts';
import { repeatedSections, singleSections } from '../../src/config/schema/index.ts';
import { mqtt } from '../../src/config/schema/mqtt.ts';
import type { OptionRow, ScalarRow, SectionSchema } from '../../src/config/schema/option.ts';
import { command, foreignActions, rule } from '../../src/config/schema/rule.ts';
import { parseValue } from '../../src/config/value.ts';
import { findFault } from '../../src/http/client/validation.ts';
import { pagesWithoutForm, type RecordedOption, type RecordedSection, recordView } from '../support/luci/recorder.ts';
import { samples } from '../support/luci/samples.ts';

const views = join(import.meta.dirname, '../../files/www/luci-static/resources/view/sms_gateway');

const schemas = new Map<string, SectionSchema>(
  [...Object.values(singleSections), ...Object.values(repeatedSections)].map((schema) => [schema.name, schema]),
);

/** Rows without a field: they only serve actions of the original's own hardware, and stay in the file as they are. */
const isForeign = (schema: SectionSchema, row: OptionRow) =>
  schema === rule && /For an action of the original/.test(row.help);

/** Help of a field is markup for LuCI. */
const plain = (text: unknown) =>
  String(text ?? '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');

/** Whether the form takes a value. */
const takes = (field: RecordedOption, value: string) =>
  findFault(value, {
    datatype: field.datatype,
    optional: true,
    validate: (text) => field.validate('one', text),
  }) === undefined;

const shownDefault = (row: OptionRow): string | undefined => {
  const value = row.default;
  if (value === undefined || value === '') return undefined;
  if (Array.isArray(value)) return value.join(' ');
  return typeof value === 'boolean' ? (value ? '1' : '0') : String(value);
};

function checkField(t: Test, row: OptionRow, field: RecordedOption): void {
  t.equal(plain(field.title), row.label, 'label');
  t.equal(plain(field.description), row.help, 'help');
  const scalar: ScalarRow = row.type === 'list' ? row.of : (row as ScalarRow);
  t.equal(field.password === true, row.secret === true && row.type !== 'list', 'a secret is not shown');
  if (row.needed === true) t.ok(field.needed === true || !field.rmempty, 'needed');
  const usual = shownDefault(row);
  if (row.type === 'list') {
    t.equal(field.kind, 'DynamicList');
    if (usual !== undefined) t.equal(field.placeholder, usual, 'default');
  } else if (row.type === 'boolean') {
    t.equal(field.kind, 'Flag');
    t.equal(field.default ?? '0', usual ?? '0', 'default');
  } else if (row.type === 'enum') {
    t.equal(field.kind, 'ListValue');
    const values = row.values.filter((value) => !Object.hasOwn(foreignActions, value));
    t.same(field.keylist.filter((key) => key !== '').sort(), [...values].sort(), 'values');
    t.equal(field.default, usual, 'default');
  } else if (field.kind !== 'ListValue') {
    t.ok(field.kind === 'Value' || field.kind === 'TextValue', `kind ${field.kind}`);
    t.equal(field.default ?? (usual === undefined ? undefined : field.placeholder), usual, 'default');
  } else if (usual !== undefined) t.equal(field.default, usual, 'default');
  if (field.kind === 'ListValue' || row.type === 'boolean') {
    if (scalar.type === 'integer') {
      const numbers = field.keylist.filter((key) => key !== scalar.word).map(Number);
      t.equal(Math.min(...numbers), scalar.min, 'lowest');
      t.equal(Math.max(...numbers), scalar.max, 'highest');
    }
    return;
  }
  if (field.option === 'args') {
    t.ok(takes(field, '{"a":[1]}'), 'a JSON object');
    for (const value of ['[1]', '1', '{', 'x', `{"a":"${'a'.repeat(2000)}"}`])
      t.notOk(takes(field, value), value.slice(0, 60));
    return;
  }
  for (const value of samples(scalar)) {
    t.equal(
      takes(field, value),
      parseValue(scalar, value) !== undefined,
      `${JSON.stringify(value.slice(0, 60))} (${value.length})`,
    );
  }
  // The original's first tab holds its own options; ours are behind "Advanced".
  if (field.tab === 'general' && row.original !== true) t.ok(ours.has(field.option), 'an addition is on the first tab');
}

/** Additions that the first tab needs: sections of our own, and what rules of ours cannot do without. */
const ours = new Set([
  ...Object.keys(repeatedSections.modems.options),
  ...Object.keys(repeatedSections.smpp_accounts.options),
  ...Object.keys(repeatedSections.tokens.options),
  ...Object.keys(repeatedSections.hooks.options),
  ...Object.keys(repeatedSections.webhooks.options),
  ...Object.keys(gateway.options),
  ...Object.keys(command.options),
  ...Object.keys(mqtt.options),
  ...['object', 'method', 'args', 'command', 'uci_option', 'otp', 'otp_secret'],
]);

const seen = new Map<string, Set<string>>();

for (const file of readdirSync(views).sort()) {
  const view = file.replace(/\.js$/, '');
  if (pagesWithoutForm.includes(view)) continue;
  t.test(view, async (t) => {
    for (const section of await recordView(view)) checkSection(t, section);
  });
}

function checkSection(t: Test, section: RecordedSection): void {
  const schema = schemas.get(section.name);
  if (schema === undefined) return void t.fail(`no section ${section.name} in the schema`);
  const names = seen.get(section.name) ?? new Set();
  seen.set(section.name, names);
  for (const field of section.children) {
    if (field.option.startsWith('_')) continue;
    t.notOk(names.has(field.option), `${section.name}.${field.option} once`);
    names.add(field.option);
    const row = schema.options[field.option];
    if (row === undefined) t.fail(`${section.name}.${field.option} is not in the schema`);
    else t.test(`${section.name}.${field.option}`, async (t) => checkField(t, row, field));
  }
}

t.test('every option has a field', async (t) => {
  for (const [name, schema] of schemas) {
    const wanted = Object.entries(schema.options)
      .filter(([, row]) => !isForeign(schema, row))
      .map(([option]) => option);
    t.same([...(seen.get(name) ?? [])].sort(), wanted.sort(), name);
  }
});
