/** Dependencies point one way: `npm run check` refuses an import that does not, and a circle, types included. */
import { spawnSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import t from 'tap';
import { testFolder } from './support/folder.ts';

const biome = resolve('node_modules/.bin/biome');

/** What the linter finds in these files, `file rule` each. */
function findings(folder: string): readonly string[] {
  copyFileSync('biome.json', join(folder, 'biome.json'));
  const options = ['--vcs-enabled=false', '--reporter=json', '--max-diagnostics=none'];
  const { stdout, stderr } = spawnSync(biome, ['lint', ...options, 'src'], { cwd: folder, encoding: 'utf8' });
  try {
    const { diagnostics } = JSON.parse(stdout) as { diagnostics: { category: string; location: { path: unknown } }[] };
    return diagnostics.map(({ category, location }) => `${JSON.stringify(location.path)} ${category}`);
  } catch {
    throw new Error(`the linter did not run: ${stderr}`);
  }
}

const planted: readonly [file: string, imported: string, allowed: boolean][] = [
  ['src/base/planted.ts', '../sms/index.ts', false],
  ['src/sms/planted.ts', '../base/json.ts', true],
  ['src/sms/planted.ts', '../config/config.ts', false],
  ['src/config/schema/planted.ts', '../../store/store.ts', false],
  ['src/store/inbox/planted.ts', '../../modem/modems.ts', false],
  ['src/store/inbox/planted.ts', '../../sms/index.ts', true],
  ['src/modem/at/planted.ts', '../../modules/host/contract.ts', false],
  ['src/modem/planted.ts', '../store/sender.ts', true],
  ['src/modules/pop3/planted.ts', '../../modem/modems.ts', false],
  ['src/modules/pop3/planted.ts', '../../rpc/namespace.ts', false],
  ['src/modules/pop3/planted.ts', '../kit/placeholders.ts', true],
  ['src/rpc/objects/planted.ts', '../../http/server.ts', false],
  ['src/http/planted.ts', '../gateway.ts', false],
  ['src/rpc/planted.ts', '../main.ts', false],
];

for (const [file, imported, allowed] of planted) {
  t.test(`${file} imports ${imported}`, async (t) => {
    const text = `import type { X } from '${imported}';\nexport type Y = X;\n`;
    const name = file.split('/').reverse();
    const tree = name.reduce<unknown>((inner, part) => ({ [part]: inner }), text) as Record<string, object>;
    const found = findings(testFolder(t, tree as never)).filter((each) => each.includes('noRestrictedImports'));
    t.equal(found.length, allowed ? 0 : 1);
  });
}

t.test('a circle of types', async (t) => {
  const folder = testFolder(t, {
    src: {
      base: {
        'a.ts': "import type { B } from './b.ts';\nexport interface A {\n  readonly b: B;\n}\n",
        'b.ts': "import type { A } from './a.ts';\nexport interface B {\n  readonly a: A;\n}\n",
      },
    },
  });
  t.equal(findings(folder).filter((each) => each.includes('noImportCycles')).length, 2);
});
