/**
 * Stands in for OpenWrt's `uci` in a test root, on the gateway's own reader and writer: get, set, add, add_list, delete,
 * show, export and commit. Changes are staged in /tmp/.uci until the commit, as by the real one.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import {
  commitPackage,
  exportForm,
  loadPackage,
  parsePackage,
  UciError,
  type UciPackage,
} from '../../../src/config/uci-parse-lite/index.ts';

const staging = '/tmp/.uci';
const names: string[] = [];
const flags = new Set<string>();
for (const word of process.argv.slice(2))
  /^-[a-zA-Z]$/.test(word) && names.length === 0 ? flags.add(word) : names.push(word);

async function load(name: string): Promise<UciPackage> {
  const staged = existsSync(`${staging}/${name}`) ? await loadPackage(staging, name) : undefined;
  const found = staged ?? (await loadPackage('/etc/config', name));
  if (found === undefined) throw new UciError('Entry not found');
  return found;
}

/** Staged as a whole file; unnamed sections keep their made-up names, as their places do not change. */
function stage(uci: UciPackage): void {
  mkdirSync(staging, { recursive: true, mode: 0o700 });
  writeFileSync(
    `${staging}/.${uci.name}`,
    exportForm(uci)
      .toString('latin1')
      .replace(/^package .*\n/, ''),
    'latin1',
  );
  renameSync(`${staging}/.${uci.name}`, `${staging}/${uci.name}`);
}

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

function exported(uci: UciPackage): string {
  if (!flags.has('-n')) return exportForm(uci).toString();
  const lines = uci.sections.flatMap(({ type, name, options }) => [
    `config ${type} ${quoted(name)}`,
    ...[...options].flatMap(([option, { value }]) =>
      typeof value === 'string'
        ? [`\toption ${option} ${quoted(value)}`]
        : value.map((each) => `\tlist ${option} ${quoted(each)}`),
    ),
  ]);
  return `${lines.join('\n')}\n`;
}

function shown(uci: UciPackage): string {
  return uci.sections
    .flatMap(({ type, name, options }) => [
      `${uci.name}.${name}=${type}`,
      ...[...options].map(
        ([option, { value }]) =>
          `${uci.name}.${name}.${option}=${(typeof value === 'string' ? [value] : value).map(quoted).join(' ')}`,
      ),
    ])
    .map((line) => `${line}\n`)
    .join('');
}

async function commit(name: string): Promise<void> {
  if (!existsSync(`${staging}/${name}`)) return;
  await commitPackage('/etc/config', await load(name));
  rmSync(`${staging}/${name}`);
}

async function run([command, subject = '', ...rest]: readonly string[]): Promise<void> {
  if (command === 'commit' && subject === '') {
    for (const name of existsSync(staging) ? readdirSync(staging) : []) await commit(name);
    return;
  }
  const equals = subject.indexOf('=');
  const path = equals === -1 ? subject : subject.slice(0, equals);
  const value = equals === -1 ? undefined : subject.slice(equals + 1);
  const [packageName = '', section = '', option] = path.split('.');
  const uci = command === 'commit' ? parsePackage(packageName, Buffer.alloc(0)) : await load(packageName);
  switch (command) {
    case 'commit':
      return commit(packageName);
    case 'show':
      process.stdout.write(shown(uci));
      return;
    case 'export':
      process.stdout.write(exported(uci));
      return;
    case 'get': {
      const found = option === undefined ? uci.section(section)?.type : uci.get(section, option);
      if (found === undefined) throw new UciError('Entry not found');
      process.stdout.write(`${typeof found === 'string' ? found : found.join(' ')}\n`);
      return;
    }
    case 'add':
      process.stdout.write(`${uci.add(rest[0] ?? '').name}\n`);
      return stage(uci);
    case 'set':
      if (value === undefined) throw new UciError('Invalid argument');
      if (option !== undefined) uci.set(section, option, value);
      else if (uci.section(section) === undefined) uci.add(value, section);
      return stage(uci);
    case 'add_list':
      uci.addList(section, option ?? '', value ?? '');
      return stage(uci);
    case 'delete':
      if (!uci.delete(section, option)) throw new UciError('Entry not found');
      return stage(uci);
    default:
      throw new UciError('Invalid argument');
  }
}

try {
  await run(names);
} catch (error) {
  if (!(error instanceof UciError)) throw error;
  if (!flags.has('-q')) process.stderr.write(`uci: ${error.message}\n`);
  process.exit(1);
}
