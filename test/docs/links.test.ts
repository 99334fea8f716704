import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';

const pages = readdirSync('docs').filter((name) => name.endsWith('.md'));
const files = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md', ...pages.map((name) => `docs/${name}`)];

/** The anchors of a page, as the usual renderers make them of its headings. */
function anchorsOf(page: string): ReadonlySet<string> {
  const text = readFileSync(page, 'utf8').replace(/^```.*?^```$/gms, '');
  const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading);
  const words = headings.map((heading) => heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase());
  return new Set(words.map((word) => word.replace(/[^a-z0-9 _-]/g, '').replaceAll(' ', '-')));
}

for (const file of files) {
  t.test(`the links of ${file} lead somewhere`, (t) => {
    const text = readFileSync(file, 'utf8').replace(/^```.*?^```$/gms, '');
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^(?:https?|mailto):/.test(target)) continue;
      const [path = '', anchor] = target.split('#');
      const page = path === '' ? file : join(dirname(file), path);
      t.ok(existsSync(page), target);
      if (anchor !== undefined && existsSync(page)) t.ok(anchorsOf(page).has(anchor), target);
    }
    t.end();
  });
}
