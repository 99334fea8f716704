/**
 * `npm run i18n`: takes the schema's words into the views, writes po/templates from the texts in `_()` and `N_()`: those of the LuCI views with menu and access
 * rules, and those of the pages without LuCI, which LuCI itself translates on a router. Then brings po/<language> in
 * line: new texts come in without a translation, those that are gone go.
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type PoEntry, readEntries } from './po.ts';
import { syncViewTexts } from './view-texts.ts';

const root = join(import.meta.dirname, '..');

interface Source {
  readonly template: string;
  readonly folders: readonly string[];
  readonly json: readonly string[];
}

export const sources: readonly Source[] = [
  {
    template: 'sms-gateway',
    folders: ['files/www/luci-static/resources'],
    json: ['files/usr/share/luci/menu.d', 'files/usr/share/rpcd/acl.d'],
  },
  { template: 'sms-gateway-host', folders: ['src/http/client'], json: [] },
];

/** A text of the sources, and where it stands. */
export interface Text {
  readonly id: string;
  readonly plural?: string;
  readonly context?: string;
  readonly places: readonly string[];
}

/** The texts of a template, in the order of their files. */
export async function collectTexts({ folders, json }: Source): Promise<readonly Text[]> {
  const texts = new Map<string, Text & { places: string[] }>();
  const add = (text: Omit<Text, 'places'>, place: string) => {
    const key = `${text.context ?? ''}\u0001${text.id}`;
    const known = texts.get(key);
    if (known === undefined) texts.set(key, { ...text, places: [place] });
    else if (!known.places.includes(place)) known.places.push(place);
  };
  for (const folder of folders) {
    for (const path of await filesBelow(folder, /\.(?:js|ts)$/)) {
      for (const text of textsOf(await readFile(join(root, path), 'utf8'))) add(text, path);
    }
  }
  for (const folder of json) {
    for (const path of await filesBelow(folder, /\.json$/)) {
      const source = await readFile(join(root, path), 'utf8');
      for (const [, id = ''] of source.matchAll(/"(?:title|description)":\s*"([^"]+)"/g)) add({ id }, path);
    }
  }
  return [...texts.values()];
}

/** The calls of `_` and `N_` with texts that stand there. */
function* textsOf(source: string): Generator<Omit<Text, 'places'>> {
  for (const match of source.matchAll(/(?<![\w$.])(N?)_\(\s*/g)) {
    let at = match.index + match[0].length;
    const plural = match[1] === 'N';
    if (plural) {
      const comma = endOfArgument(source, at);
      at = comma + 1;
    }
    const [id, afterId] = readLiteral(source, at);
    if (id === undefined) continue;
    const [second] = readLiteral(source, afterId, true);
    if (plural) {
      if (second === undefined) throw new Error(`N_ of "${id}" has no plural`);
      yield { id, plural: second };
    } else yield second === undefined ? { id } : { id, context: second };
  }
}

/** Where the comma behind the argument stands that begins here. */
function endOfArgument(source: string, from: number): number {
  let depth = 0;
  for (let at = from; at < source.length; at++) {
    const char = source[at];
    if (char === '(' || char === '[') depth++;
    else if (char === ')' || char === ']') depth--;
    else if (char === ',' && depth === 0) return at;
  }
  throw new Error('a call does not end');
}

/** The literal at this place, with `afterComma` behind a comma; undefined where there is something else. */
function readLiteral(source: string, from: number, afterComma = false): readonly [string | undefined, number] {
  const head = afterComma ? /\s*,\s*/y : /\s*/y;
  head.lastIndex = from;
  const blank = head.exec(source);
  if (blank === null) return [undefined, from];
  const literal = /'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"/y;
  literal.lastIndex = from + blank[0].length;
  const found = literal.exec(source);
  if (found === null) return [undefined, from];
  const text = (found[1] ?? found[2] ?? '').replace(/\\(u[0-9a-fA-F]{4}|.)/g, (_all, sign: string) =>
    sign.length === 5 ? String.fromCharCode(Number.parseInt(sign.slice(1), 16)) : sign === 'n' ? '\n' : sign,
  );
  return [text, literal.lastIndex];
}

async function filesBelow(folder: string, pattern: RegExp): Promise<readonly string[]> {
  const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort();
}

const quote = (text: string) => JSON.stringify(text);

/** A po file: the header, then the texts with their translations. */
export function poText(texts: readonly Text[], language?: string, translations: readonly PoEntry[] = []): string {
  const known = new Map(translations.map((entry) => [`${entry.context ?? ''}\u0001${entry.id}`, entry]));
  const header =
    language === undefined
      ? ['msgid ""', 'msgstr "Content-Type: text/plain; charset=UTF-8"']
      : [
          'msgid ""',
          'msgstr ""',
          '"Content-Type: text/plain; charset=UTF-8\\n"',
          '"Content-Transfer-Encoding: 8bit\\n"',
          `"Language: ${language}\\n"`,
          '"Plural-Forms: nplurals=2; plural=n != 1;\\n"',
        ];
  const blocks = texts.map(({ id, plural, context, places }) => {
    const forms = known.get(`${context ?? ''}\u0001${id}`)?.forms ?? [];
    return [
      ...places.map((place) => `#: ${place}`),
      ...(context === undefined ? [] : [`msgctxt ${quote(context)}`]),
      `msgid ${quote(id)}`,
      ...(plural === undefined
        ? [`msgstr ${quote(forms[0] ?? '')}`]
        : [
            `msgid_plural ${quote(plural)}`,
            `msgstr[0] ${quote(forms[0] ?? '')}`,
            `msgstr[1] ${quote(forms[1] ?? '')}`,
          ]),
    ].join('\n');
  });
  return `${[header.join('\n'), ...blocks].join('\n\n')}\n`;
}

export const templatePath = (template: string) => join(root, 'po/templates', `${template}.pot`);
export const translationPath = (language: string, template: string) => join(root, 'po', language, `${template}.po`);

export async function languages(): Promise<readonly string[]> {
  const entries = await readdir(join(root, 'po'), { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory() && entry.name !== 'templates').map(({ name }) => name);
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await syncViewTexts();
  for (const source of sources) {
    const texts = await collectTexts(source);
    await write(templatePath(source.template), poText(texts));
    for (const language of await languages()) {
      const path = translationPath(language, source.template);
      const old = await readFile(path, 'utf8').catch(() => '');
      await write(path, poText(texts, language, readEntries(old)));
    }
  }
}
