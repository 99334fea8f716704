/**
 * Bundles the programs to dist/. Own code is split where it is imported dynamically: a gateway function that is off, ubus
 * or the web server cost neither memory nor time. Every npm package of `dependencies` goes into a file of its own under
 * dist/vendor. All of it is CommonJS: Node loads that with the least memory.
 */
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BuildOptions, build, type Plugin, transform } from 'esbuild';
import { buildPages } from './pages.ts';

const programs = { main: 'src/main.ts', smsgw: 'src/cli/smsgw.ts', simulator: 'src/simulator/program.ts' };

const manifest = JSON.parse(await readFile('package.json', 'utf8')) as {
  version: string;
  dependencies: Record<string, string>;
};
const packages = Object.keys(manifest.dependencies);

/** Packages are found in this folder, but for one that is to be bundled here. */
const vendor = (folder: string, here?: string): Plugin => ({
  name: 'vendor',
  setup({ onResolve }) {
    onResolve({ filter: /^[a-z@]/ }, ({ path }) =>
      packages.includes(path) && path !== here ? { path: `${folder}/${path}.js`, external: true } : undefined,
    );
  },
});

const shared = {
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  minify: true,
  legalComments: 'none',
  logLevel: 'warning',
} as const satisfies BuildOptions;

/** esbuild splits ES modules only: it does that first, and then each piece becomes CommonJS. */
async function buildPrograms(): Promise<void> {
  const { outputFiles } = await build({
    ...shared,
    entryPoints: programs,
    outdir: 'dist',
    format: 'esm',
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    minify: false,
    write: false,
    plugins: [vendor('./vendor')],
  });
  await mkdir('dist/chunks', { recursive: true });
  await Promise.all(
    outputFiles.map(async ({ path, text }) => {
      const isProgram = Object.keys(programs).some((name) => path.endsWith(`/dist/${name}.js`));
      const { code } = await transform(isProgram ? text : text.replaceAll('"./vendor/', '"../vendor/'), {
        ...{ format: 'cjs', platform: 'node', target: 'node20', minify: true, legalComments: 'none' },
        // As require(): import() of a CommonJS file finds no names in minified code.
        supported: { 'dynamic-import': false },
        ...(isProgram && { banner: '#!/usr/bin/env node' }),
      });
      await writeFile(path, code);
    }),
  );
}

await rm('dist', { recursive: true, force: true });
await mkdir('dist/vendor', { recursive: true });
await writeFile('dist/package.json', `${JSON.stringify({ type: 'commonjs', version: manifest.version }, null, 2)}\n`);
await Promise.all([
  buildPages('dist/www'),
  buildPrograms(),
  // Required, not imported: a package gives a CommonJS program the same as Node itself would.
  ...packages.map((name) =>
    build({
      ...shared,
      stdin: { contents: `module.exports = require('${name}');`, resolveDir: '.' },
      outfile: `dist/vendor/${name}.js`,
      // smpp needs iconv-lite too: one copy on the flash, and in memory.
      plugins: [vendor('.', name)],
    }),
  ),
  // Where node-gyp-build, bundled into vendor/serialport.js, looks for them: beside its parent folder.
  cp('node_modules/@serialport/bindings-cpp/prebuilds', 'dist/prebuilds', {
    recursive: true,
    filter: (source) => !/(android|darwin|win32)-/.test(source),
  }),
]);

// A Node without Intl refuses such a class when it loads the file, and nothing in it works.
for (const entry of await readdir('dist', { recursive: true })) {
  if (!entry.endsWith('.js')) continue;
  const found = /.{0,40}\\[pP]\{.{0,20}/.exec(await readFile(join('dist', entry), 'utf8'))?.[0];
  if (found !== undefined) throw new Error(`dist/${entry} needs Intl for a regular expression: ${found}`);
}
