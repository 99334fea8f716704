/**
 * Bundles the programs to dist/. Own code is split where it is imported dynamically: a gateway function that is off, ubus
 * or the web server cost neither memory nor time. Every npm package of `dependencies` goes into a file of its own under
 * dist/vendor. All of it is CommonJS: Node loads that with the least memory.
 */
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { type BuildOptions, build, type Metafile, type Plugin, transform } from 'esbuild';
import { buildPages } from './pages.ts';
import { billOfMaterials, checkBindings, licenceTexts, shippedPackages } from './third-party.ts';

const manifest = JSON.parse(await readFile('package.json', 'utf8')) as {
  name: string;
  version: string;
  license: string;
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

/** What packages write for their developers, when the environment asks for it, goes nowhere: the gateway has a log of its own. */
const noDebug: Plugin = {
  name: 'no debug',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^debug$/ }, () => ({ path: 'debug', namespace: 'nothing' }));
    onLoad({ filter: /./, namespace: 'nothing' }, () => ({ contents: 'module.exports = () => () => {};' }));
  },
};

const shared = {
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  minify: true,
  legalComments: 'none',
  logLevel: 'warning',
} as const satisfies BuildOptions;

/** Packages of which only a part is needed, and what that part is. */
const parts: Readonly<Record<string, string>> = {
  // Not its WebSocket, its proxies and its command line.
  mqtt: "exports.MqttClient = require('mqtt/lib/client').default;",
  // Not its stream and its parsers.
  serialport: "exports.SerialPort = { binding: require('@serialport/bindings-cpp').autoDetect() };",
};

/** Copies of what Node has: streams, and timers for browsers. */
const nodesOwn = { 'readable-stream': 'node:stream', 'worker-timers': 'node:timers' };

/** Small programs, each one file. */
async function buildTools(): Promise<void> {
  await build({
    ...shared,
    entryPoints: { smsgw: 'src/cli/smsgw.ts', simulator: 'src/simulator/program.ts' },
    outdir: 'dist',
    plugins: [vendor('./vendor')],
    // As require(): import() of a CommonJS file finds no names in minified code.
    supported: { 'dynamic-import': false },
    banner: { js: '#!/usr/bin/env node' },
  });
}

const CHUNKS = 'chunks';

function specifier(folder: string, target: string): string {
  const path = relative(folder, target);
  return path.startsWith('.') ? path : `./${path}`;
}

/** Throws where two of the pieces need each other to load: constants are taken from a piece that is loaded. */
function checkOrder(outputs: Metafile['outputs']): void {
  const loaded = new Set<string>();
  const visit = (output: string, above: readonly string[]): void => {
    if (above.includes(output)) throw new Error(`pieces in a circle: ${[...above, output].join(' → ')}`);
    if (loaded.has(output)) return;
    for (const { path, kind } of outputs[output]?.imports ?? []) {
      if (kind === 'import-statement' && path in outputs) visit(path, [...above, output]);
    }
    loaded.add(output);
  };
  for (const output of Object.keys(outputs)) visit(output, []);
}

/**
 * A piece as CommonJS, but for what it takes from outside. What comes from other pieces are constants: in esbuild's own CommonJS
 * each use of them calls a getter of a getter, and each export is two functions in memory. So nothing that is exported may
 * change later. Throws where the text is not as esbuild writes it.
 */
function withConstants(text: string, exports: readonly string[], isPiece: (path: string) => boolean): string {
  const [taken] = /^(?:var|let|const|(?:async )?function\*?|class) (?:module|exports|require)\b/m.exec(text) ?? [];
  if (taken !== undefined) throw new Error(`${taken}: this name has another meaning in CommonJS`);
  const given: string[] = [];
  const code = text
    .replace(/^import (?:\{([^}]*)\} from )?"(\.[^"]+)";$/gm, (statement, names: string | undefined, path: string) => {
      if (!isPiece(path)) return statement;
      if (names === undefined) return `require("${path}");`;
      return `const {${names.replace(/([\w$]+) as ([\w$]+)/g, '$1: $2')}} = require("${path}");`;
    })
    .replace(/^export \{([^}]*)\};$/gm, (_, names: string) => {
      const exported = names.replace(/([\w$]+) as ([\w$]+)/g, '$2: $1');
      given.push(...exported.split(',').map((name) => name.replace(/:.*/s, '').trim()));
      return `module.exports = {${exported}};`;
    });
  const [wanted, found] = [exports, given].map((names) => [...names].sort().join());
  if (wanted !== found) throw new Error(`a piece exports ${wanted}, and ${found} was found`);
  return code;
}

/**
 * The daemon. esbuild splits it as ES modules, into many small pieces; each becomes CommonJS. Those that are always needed
 * stand in one file, `main.js`, as functions by name; the others load when they are imported, and find the shared pieces
 * there by `part`.
 */
async function buildDaemon(): Promise<void> {
  const { outputFiles, metafile } = await build({
    ...shared,
    entryPoints: { main: 'src/main.ts' },
    outdir: 'dist',
    format: 'esm',
    splitting: true,
    chunkNames: `${CHUNKS}/[name]-[hash]`,
    minify: false,
    write: false,
    metafile: true,
    plugins: [vendor('./vendor')],
  });
  checkOrder(metafile.outputs);
  const code = new Map<string, string>();
  for (const { path, text } of outputFiles) {
    const format = { format: 'cjs', platform: 'node', target: 'node20', minify: true, legalComments: 'none' } as const;
    const output = relative('dist', path);
    const isPiece = (from: string) => join('dist', dirname(output), from) in metafile.outputs;
    const { exports = [] } = metafile.outputs[join('dist', output)] ?? {};
    code.set(
      output,
      (await transform(withConstants(text, exports, isPiece), { ...format, supported: { 'dynamic-import': false } }))
        .code,
    );
  }
  const core = new Set<string>();
  const visit = (output: string): void => {
    if (core.has(output)) return;
    core.add(output);
    for (const { path, kind } of metafile.outputs[join('dist', output)]?.imports ?? []) {
      if (kind === 'import-statement' && path.startsWith('dist/')) visit(relative('dist', path));
    }
  };
  visit('main.js');
  /** The code of a piece that stands in `folder` of dist: `part` gives a shared piece. */
  const placed = (output: string, folder: string, part: string) =>
    (code.get(output) ?? '').replace(/require\("(\.[^"]+)"\)/g, (_, path: string) => {
      // A package is named from dist, wherever its importer stands.
      const target = path.startsWith('./vendor/') ? path.slice(2) : join(dirname(output), path);
      return core.has(target) ? `${part}("${target}")` : `require("${specifier(folder, target)}")`;
    });
  const pieces = [...core].map((output) => `"${output}"(module,exports){${placed(output, '', 'part')}}`);
  const load = 'const part=n=>{let m=made[n];if(!m){m=made[n]={exports:{}};parts[n](m,m.exports)}return m.exports};';
  await mkdir(join('dist', CHUNKS), { recursive: true });
  await writeFile(
    'dist/main.js',
    `#!/usr/bin/env node\n"use strict";const made={},parts={${pieces.join(',\n')}};${load}exports.part=part;part("main.js");\n`,
  );
  for (const output of code.keys()) {
    if (!core.has(output)) await writeFile(join('dist', output), placed(output, CHUNKS, 'require("../main.js").part'));
  }
}

await rm('dist', { recursive: true, force: true });
await mkdir('dist/vendor', { recursive: true });
await writeFile('dist/package.json', `${JSON.stringify({ type: 'commonjs', version: manifest.version }, null, 2)}\n`);
const prebuilds = 'node_modules/@serialport/bindings-cpp/prebuilds';
await Promise.all([
  buildPages('dist/www'),
  buildDaemon(),
  buildTools(),
  // Where node-gyp-build, bundled into vendor/serialport.js, looks for them: beside its parent folder.
  cp(prebuilds, 'dist/prebuilds', { recursive: true, filter: (source) => !/(android|darwin|win32)-/.test(source) }),
]);
checkBindings('dist/prebuilds');

// Required, not imported: a package gives a CommonJS program the same as Node itself would.
const vendored = await Promise.all(
  packages.map((name) =>
    build({
      ...shared,
      stdin: { contents: parts[name] ?? `module.exports = require('${name}');`, resolveDir: '.' },
      alias: nodesOwn,
      outfile: `dist/vendor/${name}.js`,
      metafile: true,
      // smpp needs iconv-lite too: one copy on the flash, and in memory.
      plugins: [vendor('.', name), noDebug],
    }),
  ),
);
const shipped = shippedPackages(vendored.map(({ metafile }) => metafile));
await writeFile('dist/THIRD-PARTY-LICENSES', licenceTexts(shipped));
await writeFile('dist/sbom.cdx.json', billOfMaterials(manifest, shipped));

for (const entry of await readdir('dist', { recursive: true })) {
  if (!entry.endsWith('.js')) continue;
  const path = join('dist', entry);
  const code = await readFile(path, 'utf8');
  // A Node without Intl refuses such a class when it loads the file, and nothing in it works.
  const found = /.{0,40}\\[pP]\{.{0,20}/.exec(code)?.[0];
  if (found !== undefined) throw new Error(`${path} needs Intl for a regular expression: ${found}`);
  // With one wide character, which esbuild leaves in regular expressions, V8 keeps the file with two octets for each.
  const narrow = code.replace(/[^\0-\xff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  if (narrow !== code && !entry.startsWith('www')) await writeFile(path, narrow);
}
