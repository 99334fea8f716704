import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { repeatedNames, schemaOf, singleNames } from '../../src/config/schema/index.ts';
import type { OptionRow, ScalarRow, SectionSchema } from '../../src/config/schema/option.ts';
import { parsePackage } from '../../src/config/uci-parse-lite/index.ts';
import { parseValue } from '../../src/config/value.ts';
import { logIn, newPage, openBrowser, PASSWORD, startDaemon, withoutBrowser } from '../support/browser.ts';
import type { Daemon } from '../support/daemon.ts';
import { pagesWithoutForm, recordView } from '../support/luci/recorder.ts';
import { samples } from '../support/luci/samples.ts';

const views = readdirSync(join(import.meta.dirname, '../../files/www/luci-static/resources/view/sms_gateway'))
  .map((file) => file.replace(/\.js$/, ''))
  .filter((view) => !pagesWithoutForm.includes(view))
  .sort();
const schemas = new Map<string, SectionSchema>(
  [...singleNames, ...repeatedNames].map((name) => [schemaOf(name).name, schemaOf(name)]),
);
const singles = new Set<string>(singleNames.map((name) => schemaOf(name).name));

/** The single sections are missing: the pages make them. The others are there with what they need. */
const config = `
config modem 'one'
	option device 'sim'
	option send_interval '0'

config group 'friends'
	option name 'friends'
	list tel '0037060000001'

config msg 'daily'
	option phonenumber '+37060000007'
	option message 'Good morning'

config rule 'status'
	option smstext 'status'
	option action 'send_status'

config command 'lamp'
	option name 'lamp'
	list argv '/bin/true'

config smpp_account 'pump'
	option username 'pump'
	option password 'secret'

config token 'plant'
	option name 'plant'
	option hash '0a1b2c3d:${'ab'.repeat(32)}'

config hook 'alarm'
	list argv '/bin/true'

config webhook 'server'
	option url 'http://127.0.0.1:1/'
`;
const repeatedSection: Readonly<Record<string, string>> = Object.fromEntries(
  [...config.matchAll(/^config (\S+) '(\S+)'/gm)].map(([, type = '', name = '']) => [type, name]),
);

type Shown = string | readonly string[];

interface Field {
  readonly section: string;
  readonly option: string;
  /** Opened by "Edit" in the row of the section. */
  readonly inDialogue: boolean;
  readonly candidates: readonly Shown[];
}

/** Values that the service takes and that are not the default; first what is hard to store. */
function candidates(row: OptionRow): readonly Shown[] {
  const scalar: ScalarRow = row.type === 'list' ? row.of : row;
  const offered =
    scalar.type === 'boolean'
      ? ['1', '0']
      : scalar.type === 'enum'
        ? scalar.values
        : [`it's "a" \\ #1; $x — ž`, `{"it's":"\\\\ #1"}`, ...samples(scalar)];
  const good = offered.filter((value) => parseValue(scalar, value) !== undefined);
  if (row.type === 'list') return [...(good.length > 1 ? [good.slice(0, 2)] : []), ...good.map((value) => [value])];
  const usual = typeof row.default === 'boolean' ? (row.default ? '1' : '0') : String(row.default ?? '');
  return good.filter((value) => value !== usual && value !== '');
}

/** The first entry of a program is its path. */
const candidatesOf = (option: string, row: OptionRow): readonly Shown[] =>
  option === 'argv' ? candidates(row).map((value) => ['/bin/true', ...value]) : candidates(row);

/**
 * Works the form as a person does, by the events of its controls. A section in a dialogue has a form of its own there.
 */
const driver = `
window.driver = {
  optionsOf(section) {
    const root = document.querySelector('.modal .cbi-map') ?? document.querySelector('#view .cbi-map');
    const map = L.dom.findClassInstance(root);
    return map.children.find((each) => each.section === section).children;
  },
  put(option, section, value) {
    const widget = option.getUIElement(section);
    if (widget === null) return false;
    const node = widget.node;
    const input = node.querySelector('input, select, textarea');
    const type = (name) => input.dispatchEvent(new Event(name, { bubbles: true }));
    if (input.type === 'checkbox') {
      if (input.checked !== (value === '1')) input.click();
    } else if (Array.isArray(value)) {
      for (const button of node.querySelectorAll('.remove')) button.click();
      for (const item of value) {
        input.value = item;
        type('input');
        node.querySelector('.cbi-button-add').click();
      }
      input.value = '';
      type('input');
    } else {
      input.value = value;
      type('input');
      type('change');
    }
    return option.isValid(section) && JSON.stringify(option.formvalue(section)) === JSON.stringify(value);
  },
  /** Makes an option show, by what it depends on. */
  reveal(option, section, fixed) {
    for (const [name, value] of Object.entries(option.deps[0] ?? {})) {
      const other = this.optionsOf(section).find((each) => each.option === name);
      if (!other.isActive(section)) this.reveal(other, section, fixed);
      this.put(other, section, value);
      fixed.add(name);
    }
  },
  /** Sets the fields, and gives what they were set to. */
  fill(section, fields, hidden) {
    const options = this.optionsOf(section);
    const find = (field) => options.find(({ option }) => option === field.option);
    const fixed = new Set();
    if (hidden !== undefined) this.reveal(find(hidden), section, fixed);
    const set = {};
    for (const field of fields) {
      const option = find(field);
      if (fixed.has(field.option) || !option.isActive(section)) continue;
      const before = option.formvalue(section);
      const choices = option.keylist.length > 0 && option.getUIElement(section).node.querySelector('select')
        ? option.keylist.filter((key) => key !== '' && key !== option.default)
        : field.candidates;
      const value = choices.find((each) => JSON.stringify(each) !== JSON.stringify(before) && this.put(option, section, each));
      if (value === undefined) this.put(option, section, before);
      else set[field.option] = value;
    }
    return Object.fromEntries(Object.entries(set).filter(([name]) => {
      const option = find({ option: name });
      return option.isActive(section) && option.isValid(section);
    }));
  },
  hidden: (section, names) =>
    driver.optionsOf(section).filter(({ option }) => names.includes(option))
      .find((option) => !option.isActive(section))?.option,
  shown: (section, names) => Object.fromEntries(
    driver.optionsOf(section).filter(({ option }) => names.includes(option))
      .map((option) => [option.option, option.formvalue(section)])),
};`;

/** The fields of a page, by the section. */
async function fieldsOf(view: string): Promise<ReadonlyMap<string, readonly Field[]>> {
  const found = new Map<string, Field[]>();
  for (const { name, children } of await recordView(view)) {
    const schema = schemas.get(name);
    const inDialogue = !singles.has(name);
    const section = inDialogue ? (repeatedSection[name] ?? '') : name;
    for (const { option } of children) {
      const row = schema?.options[option];
      if (row === undefined) continue;
      const fields = found.get(section) ?? [];
      found.set(section, [...fields, { section, option, inDialogue, candidates: candidatesOf(option, row) }]);
    }
  }
  // A dialogue comes first: saving it draws the page again, as it stands on the server.
  return new Map([...found].sort(([, [a]], [, [b]]) => Number(b?.inDialogue) - Number(a?.inDialogue)));
}

const call = <T>(page: Page, method: string, ...args: readonly unknown[]): Promise<T> =>
  page.evaluate<T>(`driver.${method}(${args.map((arg) => JSON.stringify(arg) ?? 'undefined').join(', ')})`);

async function openPage(page: Page, daemon: Daemon, view: string): Promise<void> {
  await page.goto(`${daemon.http}/admin/services/sms_gateway/${view}`);
  await page.locator('#view .cbi-map').waitFor();
}

/** Opens the dialogue of a section where it has one, does `work`, and ends it with the button. */
async function within<T>(page: Page, field: Field | undefined, button: string, work: () => Promise<T>): Promise<T> {
  if (field?.inDialogue !== true) return work();
  await page.locator(`[id="edit-${field.section}"]`).click();
  await page.locator('.modal .cbi-map').waitFor();
  const result = await work();
  await page.locator('.modal').getByRole('button', { name: button, exact: true }).click();
  await page.locator('.modal').waitFor({ state: 'detached' });
  return result;
}

/** Saves and applies; resolves when the page is there again. */
async function apply(page: Page): Promise<void> {
  const loaded = page.waitForEvent('load');
  loaded.catch(() => undefined);
  await page.getByRole('button', { name: 'Save & Apply' }).click();
  const refused = page.getByText('An error occurred while saving').waitFor();
  refused.catch(() => undefined);
  const first = await Promise.race([loaded.then(() => 'loaded'), refused.then(() => 'refused')]);
  if (first === 'refused') throw new Error((await page.locator('.modal').textContent()) ?? '');
  await page.locator('#view .cbi-map').waitFor();
}

/** What the file holds of a section, as a field shows it. */
function stored(daemon: Daemon, section: string): Readonly<Record<string, Shown>> {
  const file = parsePackage('sms_gateway', readFileSync(`${daemon.folder}/config/sms_gateway`));
  const found = file.sections.find(({ name }) => name === section);
  const values: Record<string, Shown> = {};
  for (const [name, { value }] of found?.options ?? []) values[name] = value;
  // A scheduled message stands in the file as Base64 where this option says so.
  if (values['is_b64'] === '1') values['message'] = Buffer.from(String(values['message']), 'base64').toString('utf8');
  return values;
}

t.setTimeout(600_000);

t.test('every field goes to the file and back', { skip: withoutBrowser() ?? false, timeout: 580_000 }, async (t) => {
  const browser = await openBrowser(t);
  const daemon = await startDaemon(t, config);
  const { page, complaints } = await newPage(browser);
  await page.addInitScript(driver);
  await page.goto(daemon.http);
  await logIn(page, 'admin', PASSWORD);
  await page.waitForURL('**/overview');
  for (const view of views) await t.test(view, (t) => roundTrip(t, page, daemon, view));
  t.strictSame(complaints, []);
});

/** Fields that exclude each other take turns: each turn begins with the same file and sets what is left. */
async function roundTrip(t: Test, page: Page, daemon: Daemon, view: string): Promise<void> {
  const all = await fieldsOf(view);
  const left = new Map([...all].map(([section, fields]) => [section, [...fields]]));
  for (let turn = 0; [...left.values()].some((fields) => fields.length > 0); turn++) {
    daemon.configure(config);
    await openPage(page, daemon, view);
    const set = new Map<string, Readonly<Record<string, Shown>>>();
    const first = new Map<string, string>();
    for (const [section, fields] of left) {
      if (fields.length === 0) continue;
      const names = fields.map(({ option }) => option);
      const values = await within(page, fields[0], 'Save', async () => {
        const hidden = turn === 0 ? undefined : await call<string | undefined>(page, 'hidden', section, names);
        if (hidden !== undefined) first.set(section, hidden);
        return call<Readonly<Record<string, Shown>>>(page, 'fill', section, fields, hidden && { option: hidden });
      });
      set.set(section, values);
    }
    if ([...set.values()].every((values) => Object.keys(values).length === 0)) {
      for (const [section, fields] of left) {
        const stuck = first.get(section) ?? fields[0]?.option;
        if (stuck !== undefined) t.fail(`${section}.${stuck} cannot be set`);
        left.set(
          section,
          fields.filter(({ option }) => option !== stuck),
        );
      }
      continue;
    }
    await apply(page);
    for (const [section, values] of set) {
      const names = Object.keys(values);
      const inFile = stored(daemon, section);
      const shown = await within(page, all.get(section)?.[0], 'Dismiss', () =>
        call<Readonly<Record<string, Shown>>>(page, 'shown', section, names),
      );
      for (const name of names) {
        t.strictSame(inFile[name], values[name], `${section}.${name} is in the file`);
        t.strictSame(shown[name], values[name], `${section}.${name} is shown again`);
      }
      left.set(
        section,
        (left.get(section) ?? []).filter(({ option }) => !names.includes(option)),
      );
    }
  }
}
