/**
 * Bundles the pages for boxes without LuCI to dist/www: the browser's side of src/http, the LuCI views as they are
 * installed on a router, menu and access rules, and the translations; compressed, with a list of their hashes.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { build, transform } from 'esbuild';
import type { Json, JsonObject } from '../src/base/json.ts';
import type { Manifest } from '../src/http/pages/assets.ts';
import { readCatalogue } from './po.ts';
import { collectTexts, SERVER_TEXTS } from './texts.ts';

const CLIENT = 'src/http/client';
const RESOURCES = 'files/www/luci-static/resources';

const types: Readonly<Record<string, string>> = {
  js: 'text/javascript;charset=utf-8',
  css: 'text/css;charset=utf-8',
  svg: 'image/svg+xml',
  json: 'application/json',
};

export async function buildPages(directory: string): Promise<void> {
  const files: Record<string, Manifest['files'][string]> = {};
  const put = async (path: string, content: string, requires: readonly string[] = []): Promise<void> => {
    const hash = createHash('sha256').update(content).digest('hex').slice(0, 16);
    const target = join(directory, `${path}.gz`);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, await promisify(gzip)(content, { level: 9 }));
    const type = types[path.split('.').pop() ?? ''] ?? 'application/octet-stream';
    files[path] = { hash, type, ...(requires.length > 0 && { requires }) };
  };
  const minified = await build({
    entryPoints: { client: `${CLIENT}/main.ts`, style: `${CLIENT}/style.css` },
    bundle: true,
    write: false,
    outdir: directory,
    format: 'iife',
    target: 'es2022',
    minify: true,
    keepNames: true,
    legalComments: 'none',
    logLevel: 'warning',
  });
  for (const { path, text } of minified.outputFiles) {
    await put(path.endsWith('.css') ? 'pages/client.css' : 'pages/client.js', text);
  }
  await put('pages/icon.svg', await readFile(`${CLIENT}/icon.svg`, 'utf8'));
  for (const path of await filesBelow(RESOURCES, '.js')) {
    const name = path.slice(0, -3).replaceAll('/', '.');
    const source = await readFile(join(RESOURCES, path), 'utf8');
    const requirements = requirementsOf(source);
    const { code } = await transform(wrapModule(name, requirements, source), { minify: true });
    const required = requirements.map(([module]) => `luci-static/resources/${module.replaceAll('.', '/')}.js`);
    await put(
      `luci-static/resources/${path}`,
      code,
      required.filter((other) => existsSync(join('files/www', other))),
    );
  }
  const languages = [...new Set((await filesBelow('po', '.po')).map((path) => dirname(path)))];
  const serverTexts = await collectTexts({ folders: [SERVER_TEXTS], json: [] });
  const documents: Record<string, Record<string, string>> = {};
  for (const language of languages) {
    const catalogue: ReturnType<typeof readCatalogue> = {};
    for (const path of await filesBelow(join('po', language), '.po')) {
      Object.assign(catalogue, readCatalogue(await readFile(join('po', language, path), 'utf8')));
    }
    await put(`pages/i18n/${language}.json`, JSON.stringify(catalogue));
    const translations = serverTexts.map(({ id }) => [id, catalogue[id]] as const);
    documents[language] = Object.fromEntries(
      translations.filter((each): each is readonly [string, string] => typeof each[1] === 'string'),
    );
  }
  const menu = Object.assign({}, ...(await jsonFiles('files/usr/share/luci/menu.d'))) as JsonObject;
  const acl = await jsonFiles('files/usr/share/rpcd/acl.d');
  const manifest: Manifest = { files, menu, acl, languages, documents };
  await writeFile(join(directory, 'manifest.json'), JSON.stringify(manifest));
}

/**
 * A LuCI module as a script of its own: LuCI evaluates the source as the body of a function, which a page without
 * `unsafe-eval` cannot. The source itself stays as it is.
 */
function wrapModule(name: string, requirements: readonly Requirement[], source: string): string {
  const aliases = requirements.map(([, alias]) => alias).join(', ');
  return `L.define(${JSON.stringify(name)}, ${JSON.stringify(requirements)}, function (${aliases}) {\n${source}\n});\n`;
}

/** Name of a module, and the name that it goes by in the source. */
type Requirement = readonly [module: string, alias: string];

function requirementsOf(source: string): readonly Requirement[] {
  const directives = source.matchAll(/^\s*(['"])require[ \t]+([\w.]+)(?:[ \t]+as[ \t]+([A-Za-z_]\w*))?\1;?/gm);
  return [...directives].map(([, , module = '', alias]) => [module, alias ?? module.replace(/[^a-zA-Z0-9]/g, '_')]);
}

/** Paths below a folder, in order; none when there is no such folder. */
async function filesBelow(folder: string, ending: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

async function jsonFiles(folder: string): Promise<readonly Json[]> {
  const paths = await filesBelow(folder, '.json');
  return Promise.all(paths.map(async (path) => JSON.parse(await readFile(join(folder, path), 'utf8')) as Json));
}
