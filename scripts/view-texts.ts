/** Part of `npm run i18n`: takes labels and help that changed in the schema into the LuCI views, where they stand in `_()`. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repeatedSections, singleSections } from '../src/config/schema/index.ts';
import type { SectionSchema } from '../src/config/schema/option.ts';
import { pagesWithoutForm, recordView } from '../test/support/luci/recorder.ts';

const resources = join(import.meta.dirname, '../files/www/luci-static/resources');
const schemas = new Map<string, SectionSchema>(
  [...Object.values(singleSections), ...Object.values(repeatedSections)].map((schema) => [schema.name, schema]),
);

const literal = (text: string) => `_('${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}')`;

/** Texts of the views that the schema words otherwise now. */
async function changes(): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const views = readdirSync(join(resources, 'view/sms_gateway'))
    .map((file) => file.replace(/\.js$/, ''))
    .filter((view) => !pagesWithoutForm.includes(view));
  for (const view of views) {
    for (const section of await recordView(view)) {
      for (const { option, title, description } of section.children) {
        const row = schemas.get(section.name)?.options[option];
        if (row === undefined) continue;
        const help = String(description ?? '')
          .replaceAll('&lt;', '<')
          .replaceAll('&gt;', '>')
          .replaceAll('&amp;', '&');
        if (help !== row.help) found.set(literal(help), literal(row.help));
        if (title !== row.label) found.set(literal(String(title)), literal(row.label));
      }
    }
  }
  return found;
}

export async function syncViewTexts(): Promise<void> {
  const found = await changes();
  for (const path of readdirSync(resources, { recursive: true, encoding: 'utf8' })) {
    if (!path.endsWith('.js')) continue;
    const before = readFileSync(join(resources, path), 'utf8');
    let after = before;
    for (const [old, wanted] of found) after = after.replaceAll(old, () => wanted);
    if (after !== before) writeFileSync(join(resources, path), after);
  }
}
