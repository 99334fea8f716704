/**
 * `npm run i18n`: takes the schema's words into the views, writes po/templates from the texts in `_()` and `N_()`: those of the LuCI views with menu and access
 * rules, and those of the pages without LuCI, which LuCI itself translates on a router. Then brings po/<language> in
 * line: new texts come in without a translation, those that are gone go.
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type PoEntry, readEntries } from './po.ts';
import { collectTexts, SERVER_TEXTS, type Source, type Text } from './texts.ts';
import { syncViewTexts } from './view-texts.ts';

const root = join(import.meta.dirname, '..');

export const sources: readonly Source[] = [
  {
    template: 'sms-gateway',
    folders: ['files/www/luci-static/resources'],
    json: ['files/usr/share/luci/menu.d', 'files/usr/share/rpcd/acl.d'],
  },
  { template: 'sms-gateway-host', folders: ['src/http/client', SERVER_TEXTS], json: [] },
];

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
