import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Script } from 'node:vm';
import t from 'tap';
import { jsmin } from '../support/luci/jsmin.ts';
import { recordView } from '../support/luci/recorder.ts';

const resources = join(import.meta.dirname, '../../files/www/luci-static/resources');
const files = readdirSync(resources, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.js'));

/** As LuCI evaluates a module. */
const wrap = (source: string) => `(function(window, document, L, E, _, N_) {\n${source}\n})`;

t.test('jsmin does what makes views break', async (t) => {
  t.equal(jsmin('// one\nvar a  =  1; /* two */ var b = "a  b";\n').trim(), 'var a=1;var b="a  b";');
  t.equal(jsmin("x.replace(/'/g, 'a  b');").trim(), "x.replace(/'/g,'a  b');");
  const broken = jsmin("function f(s) { return /'/.test(s); }\nvar url = 'http://x';\n");
  t.throws(() => new Script(broken), 'a quote in a regular expression behind return');
});

t.test('every view survives the minifier', async (t) => {
  t.ok(files.length > 10);
  for (const path of files) {
    const source = readFileSync(join(resources, path), 'utf8');
    const minified = jsmin(source);
    t.doesNotThrow(() => new Script(wrap(source)), `${path} as it is`);
    t.doesNotThrow(() => new Script(wrap(minified)), `${path} minified`);
    t.ok(minified.length < source.length, path);
    t.equal(textsOf(minified), textsOf(source), `${path}: its texts are whole`);
    t.notMatch(source, /innerHTML|insertAdjacentHTML|outerHTML|document\.write|\beval\(/, `${path} makes no markup`);
    t.notMatch(source, /E\([^,()]+,\s*\{[^}]*\},\s*['"`]/, `${path}: a bare text in E is markup`);
  }
});

t.test('minified views build the same forms', async (t) => {
  for (const view of ['rules', 'forwarding', 'smpp']) {
    const names = async (change?: (source: string) => string) =>
      (await recordView(view, change)).map(({ name, children }) => [name, children.map(({ option }) => option)]);
    t.same(await names(jsmin), await names(), view);
  }
});

/** The texts in `_()`, which a broken state of the minifier would eat into. */
function textsOf(source: string): string {
  return [...source.matchAll(/\b_\(\s*'((?:[^'\\]|\\.)*)'/g)].map(([, text]) => text).join('\n');
}
