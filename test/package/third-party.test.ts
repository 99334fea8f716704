/** What of others `npm run build` puts into the packages. */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import t from 'tap';
import manifest from '../../package.json' with { type: 'json' };
import { checkBindings } from '../../scripts/third-party.ts';
import { testFolder } from '../support/folder.ts';

interface Component {
  readonly type: string;
  readonly name: string;
  readonly version?: string;
  readonly licenses: readonly { readonly expression: string }[];
  readonly hashes?: readonly { readonly content: string }[];
}

const bom = JSON.parse(readFileSync('dist/sbom.cdx.json', 'utf8')) as { readonly components: readonly Component[] };
const libraries = bom.components.filter(({ type }) => type === 'library');

/** Licences that may stand in a package under MIT. */
const permissive = new Set(['MIT', 'MIT-0', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', '0BSD']);

t.test('the list holds every package that is bundled, under licences that allow it', async (t) => {
  // Of serialport the binding alone, which has a version of its own.
  const { serialport: _, ...whole } = manifest.dependencies;
  t.ok(libraries.some(({ name }) => name === '@serialport/bindings-cpp'));
  for (const [name, version] of Object.entries(whole)) {
    t.ok(
      libraries.some((each) => each.name === name && each.version === version),
      `${name} ${version}`,
    );
  }
  t.ok(libraries.length > Object.keys(manifest.dependencies).length, 'and those that they need');
  for (const { name, licenses } of bom.components) {
    t.ok(permissive.has(licenses[0]?.expression ?? ''), `${name}: ${licenses[0]?.expression}`);
  }
});

t.test('each has the words of its licence beside it', async (t) => {
  const texts = readFileSync('dist/THIRD-PARTY-LICENSES', 'utf8');
  for (const { name, version } of libraries) t.ok(texts.includes(`\n${name} ${version} (`), `${name} ${version}`);
});

t.test('a native file is the known one, or nothing is built', async (t) => {
  const natives = bom.components.filter(({ type }) => type === 'file');
  const prebuilds = readdirSync('dist/prebuilds', { recursive: true, encoding: 'utf8' });
  t.equal(natives.length, prebuilds.filter((path) => path.endsWith('.node')).length);

  const folder = `${testFolder(t)}/prebuilds`;
  cpSync('dist/prebuilds', folder, { recursive: true });
  t.doesNotThrow(() => checkBindings(folder));
  const file = `${folder}/linux-x64/@serialport+bindings-cpp.musl.node`;
  const octets = readFileSync(file);
  octets[1000] = (octets[1000] ?? 0) ^ 1;
  writeFileSync(file, octets);
  t.throws(() => checkBindings(folder), /musl\.node: got [0-9a-f]{64}, wanted sha256 794a33f4/);
  rmSync(file);
  t.throws(() => checkBindings(folder), /musl\.node: got no such file/);
  cpSync('dist/prebuilds', folder, { recursive: true });
  mkdirSync(`${folder}/linux-mips`);
  writeFileSync(`${folder}/linux-mips/other.node`, '');
  t.throws(() => checkBindings(folder), /other\.node: a native file of unknown origin/);
});
