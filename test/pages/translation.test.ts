import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { languages, poText, sources, templatePath, translationPath } from '../../scripts/i18n.ts';
import { readCatalogue, readEntries } from '../../scripts/po.ts';
import { collectTexts, type Text } from '../../scripts/texts.ts';
import { errorTable } from '../../src/base/errors.ts';

/** What `format` fills in, in order, and marks that have a meaning. */
const places = (text: string) => text.match(/%(?:%|[0-9]*[dsfh]|[a-z]{2})/g) ?? [];
const read = (path: string) => readFileSync(path, 'utf8');

t.test('the templates hold the texts of the sources', async (t) => {
  for (const source of sources) {
    const texts = await collectTexts(source);
    t.ok(texts.length > 50, source.template);
    t.equal(read(templatePath(source.template)), poText(texts), `${source.template}: npm run i18n writes it`);
  }
});

t.test('every translation is complete', async (t) => {
  const known = await languages();
  t.ok(known.includes('de'));
  for (const language of known) {
    for (const source of sources) {
      const texts = await collectTexts(source);
      const entries = new Map(
        readEntries(read(translationPath(language, source.template))).map((each) => [each.id, each]),
      );
      t.same(
        [...entries.keys()],
        texts.map(({ id }) => id),
        `${language}: the texts of ${source.template}`,
      );
      for (const text of texts) checkEntry(t, language, text, entries.get(text.id)?.forms ?? []);
    }
  }
});

function checkEntry(t: Test, language: string, { id, plural }: Text, forms: readonly string[]): void {
  const wanted = plural === undefined ? 1 : 2;
  const good = forms.length === wanted && forms.every((form) => form.trim() !== '');
  if (!good) t.fail(`${language}: ${id} is not translated`);
  for (const form of forms) {
    if (places(form).join() !== places(id).join()) t.fail(`${language}: ${id} and ${form} have other places`);
    if (/[.!?…]$/.test(id) !== /[.!?…]$/.test(form) && !/^am %s\.$/.test(form)) {
      t.fail(`${language}: ${id} and ${form} end differently`);
    }
  }
}

t.test('texts are found as they are written', async (t) => {
  const texts = new Map((await Promise.all(sources.map(collectTexts))).flat().map((text) => [text.id, text]));
  t.match(texts.get("Don't save received messages"), { id: "Don't save received messages" });
  t.match(texts.get('%d unread'), { plural: '%d unread' });
  t.ok(texts.has('Email to SMS'), 'a title of the menu');
  t.ok(texts.has('Grant access to the SMS gateway'), 'a description of the access rules');
});

t.test('a po file becomes what the pages look up', async (t) => {
  const po = [
    'msgid ""\nmsgstr "Language: x\\n"',
    '#: a.js\nmsgid "one"\nmsgstr "eins"',
    'msgid "two\\n  lines"\nmsgstr "zwei"',
    'msgctxt "verb"\nmsgid "read"\nmsgstr "lesen"',
    'msgid "%d day"\nmsgid_plural "%d days"\nmsgstr[0] "%d Tag"\nmsgstr[1] "%d Tage"',
    '#, fuzzy\nmsgid "guess"\nmsgstr "geraten"',
    'msgid "open"\nmsgstr ""',
  ].join('\n\n');
  t.same(readCatalogue(po), {
    one: 'eins',
    'two lines': 'zwei',
    'read\u0001verb': 'lesen',
    '%d day': ['%d Tag', '%d Tage'],
  });
});

t.test('each code of an error has a sentence on the pages', async (t) => {
  const folder = join(import.meta.dirname, '../../files/www/luci-static/resources/sms_gateway');
  const table = /const codes = \{([^}]*)\};/.exec(read(join(folder, 'service.js')))?.[1] ?? '';
  const codes = [...table.matchAll(/^\t(\w+): /gm)].map(([, code]) => code);
  t.same(codes, Object.keys(errorTable));
});
