/**
 * What of others the packages ship: a list in CycloneDX form, the licences, and where the one native file comes from.
 * Taken from what the bundles hold, not from what is installed. The same input gives the same octets.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';

/**
 * The prebuilt bindings of serialport, as @serialport/bindings-cpp 13.0.0 on npm has them: made by the workflow "Prebuild"
 * of github.com/serialport/bindings-cpp. package-lock.json pins the archive that holds them, and this each file of it.
 */
const bindings: Readonly<Record<string, string>> = {
  'linux-arm/@serialport+bindings-cpp.armv6.glibc.node':
    '04f0086b6cab4d5665234845c1adf8b8d89e2bed3ff08424a1724a824a0629bf',
  'linux-arm/@serialport+bindings-cpp.armv7.glibc.node':
    '5c052871c2e9a90c1adc3d7d7a88831a4971999a575b2b0c471113ec9302cedd',
  'linux-arm/@serialport+bindings-cpp.armv7.musl.node':
    'b2720fbae4a852ce70670c156d37764f32f2b316706cfcba9e11341ee04e0211',
  'linux-arm64/@serialport+bindings-cpp.armv8.glibc.node':
    'a92389bed45b1ea7f9613e6c01de18e60cf58d484cddf065d8603c9143876f8f',
  'linux-arm64/@serialport+bindings-cpp.armv8.musl.node':
    'c42316381abdbcdd3d56ce2b2bcec04cb62a6f092b57cf2bb8f963a155b55d57',
  'linux-x64/@serialport+bindings-cpp.glibc.node': '572054004570f2a93630ca716c32947257283d1abbfd536f7a91cf6d98dc50db',
  'linux-x64/@serialport+bindings-cpp.musl.node': '794a33f480832d57268a225a8560963cf4b8153334186cff13cf3cec40f7d99b',
};

const sha256 = (octets: Uint8Array): string => createHash('sha256').update(octets).digest('hex');

/** Throws when a native file under `folder` is not the one that is known, or is missing. */
export function checkBindings(folder: string): void {
  const found = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.node'));
  for (const path of new Set([...found, ...Object.keys(bindings)])) {
    const wanted = bindings[path];
    if (wanted === undefined) throw new Error(`${folder}/${path}: a native file of unknown origin`);
    const got = found.includes(path) ? sha256(readFileSync(join(folder, path))) : 'no such file';
    if (got !== wanted) throw new Error(`${folder}/${path}: got ${got}, wanted sha256 ${wanted}`);
  }
}

/** A package that the bundles hold. */
export interface Shipped {
  readonly name: string;
  readonly version: string;
  /** SPDX expression. */
  readonly license: string;
  readonly homepage: string;
  readonly texts: readonly string[];
}

const LICENSE_FILE = /^(?:licen[cs]e|copying|notice)(?:[-.].*)?$/i;

/** The packages with code in the bundles, by name and version. Throws for one without a licence. */
export function shippedPackages(metafiles: readonly Metafile[]): readonly Shipped[] {
  const folders = new Set<string>();
  for (const { outputs } of metafiles) {
    for (const { inputs } of Object.values(outputs)) {
      for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
        const folder = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0];
        if (folder !== undefined && bytesInOutput > 0) folders.add(folder);
      }
    }
  }
  const compare = (a: Shipped, b: Shipped) => (`${a.name}@${a.version}` < `${b.name}@${b.version}` ? -1 : 1);
  return [...folders].map(readShipped).sort(compare);
}

function readShipped(folder: string): Shipped {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    readonly name: string;
    readonly version: string;
    readonly license?: unknown;
    readonly author?: string | { readonly name: string };
    readonly homepage?: string;
  };
  const { name, version, license, author, homepage } = manifest;
  if (typeof license !== 'string') throw new Error(`${folder}: no licence in its package.json`);
  const files = readdirSync(folder).filter((file) => LICENSE_FILE.test(file));
  const texts = files.sort().map((file) => readFileSync(join(folder, file), 'utf8').trim());
  const holder = typeof author === 'string' ? author : author?.name;
  return {
    ...{ name, version, license, homepage: homepage ?? `https://www.npmjs.com/package/${name}` },
    texts: texts.length > 0 ? texts : [`License: ${license}${holder === undefined ? '' : `\nAuthor: ${holder}`}`],
  };
}

/** THIRD-PARTY-LICENSES. Packages under the same words share them. */
export function licenceTexts(shipped: readonly Shipped[]): string {
  const byText = new Map<string, Shipped[]>();
  for (const each of shipped) {
    const text = each.texts.join('\n\n');
    byText.set(text, [...(byText.get(text) ?? []), each]);
  }
  const parts = [...byText].map(([text, packages]) => {
    const names = packages.map(({ name, version, license }) => `${name} ${version} (${license})`);
    return `${names.join('\n')}\n\n${text}\n`;
  });
  return `The SMS gateway holds code of these packages.\n\n${parts.join(`\n${'-'.repeat(80)}\n\n`)}`;
}

const purl = ({ name, version }: Pick<Shipped, 'name' | 'version'>) =>
  `pkg:npm/${name.replace(/^@/, '%40')}@${version}`;

/** The bill of materials in CycloneDX 1.5, with the native files. No time and no random number stands in it. */
export function billOfMaterials(
  product: { readonly name: string; readonly version: string; readonly license: string },
  shipped: readonly Shipped[],
): string {
  const { version: bindingsVersion } = JSON.parse(
    readFileSync('node_modules/@serialport/bindings-cpp/package.json', 'utf8'),
  ) as { readonly version: string };
  const native = { name: '@serialport/bindings-cpp', version: bindingsVersion };
  const components = [
    ...shipped.map((each) => ({
      type: 'library',
      'bom-ref': purl(each),
      ...{ name: each.name, version: each.version, purl: purl(each) },
      licenses: [{ expression: each.license }],
      externalReferences: [{ type: 'website', url: each.homepage }],
    })),
    ...Object.entries(bindings).map(([path, hash]) => ({
      type: 'file',
      'bom-ref': `prebuilds/${path}`,
      name: `prebuilds/${path}`,
      hashes: [{ alg: 'SHA-256', content: hash }],
      licenses: [{ expression: 'MIT' }],
      pedigree: { ancestors: [{ type: 'library', ...native, purl: purl(native) }] },
    })),
  ];
  const bom = {
    ...{ $schema: 'http://cyclonedx.org/schema/bom-1.5.schema.json', bomFormat: 'CycloneDX', specVersion: '1.5' },
    version: 1,
    metadata: {
      lifecycles: [{ phase: 'build' }],
      component: {
        type: 'application',
        'bom-ref': purl(product),
        ...{ name: product.name, version: product.version, purl: purl(product) },
        licenses: [{ expression: product.license }],
      },
    },
    components,
  };
  return `${JSON.stringify(bom, null, 1)}\n`;
}
