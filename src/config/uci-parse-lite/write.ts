import { randomBytes } from 'node:crypto';
import { open, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { bytesOfText } from './byte-text.ts';
import type { UciPackage } from './model.ts';

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

/** uci leaves a type unquoted, also one with characters that it then reads otherwise; those are quoted here. */
const typeWord = (type: string) => (/['"\\#;]/.test(type) ? quoted(type) : type);

/** The package as `uci commit` writes it to its file. */
export function fileForm(uci: UciPackage): Buffer {
  const lines: string[] = [];
  for (const section of uci.sections) {
    lines.push('', `config ${typeWord(section.type)}${section.anonymous ? '' : ` '${section.name}'`}`);
    for (const [name, { value }] of section.options) {
      if (typeof value === 'string') lines.push(`\toption ${name} ${quoted(value)}`);
      else for (const element of value) lines.push(`\tlist ${name} ${quoted(element)}`);
    }
  }
  return bytesOfText(`${lines.join('\n')}\n\n`.slice(lines.length === 0 ? 1 : 0));
}

/** The package as `uci export` prints it. */
export function exportForm(uci: UciPackage): Buffer {
  return Buffer.concat([Buffer.from(`package ${uci.name}\n`), fileForm(uci)]);
}

/** Mode of a new config file. */
const NEW_FILE_MODE = 0o600;

/**
 * Writes a package to its file in the config directory as `uci commit` does: a temporary file beside it, synced and
 * renamed over it, the mode kept, a symbolic link followed. Rejects with the error of the file system, and then
 * leaves the old file as it was.
 */
export function commitPackage(directory: string, uci: UciPackage): Promise<void> {
  return replaceConfigFile(directory, uci.name, fileForm(uci));
}

/** Replaces the file of a package by these bytes, in the same way. */
export async function replaceConfigFile(directory: string, name: string, bytes: Uint8Array): Promise<void> {
  const path = join(directory, name);
  const target = await realpath(path).catch(() => path);
  const mode = await stat(target).then(
    (info) => info.mode & 0o7777,
    () => NEW_FILE_MODE,
  );
  const temporary = join(dirname(target), `.${name}.uci-${randomBytes(3).toString('hex')}`);
  try {
    await writeSynced(temporary, bytes, mode);
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncDirectory(dirname(target));
}

async function writeSynced(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  const handle = await open(path, 'wx', NEW_FILE_MODE);
  try {
    await handle.writeFile(bytes);
    await handle.chmod(mode);
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
