import { constants, statSync, watch } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describeError, GatewayError } from '../../base/errors.ts';
import { guardDirectory, guardFile } from '../../base/private-files.ts';
import { lockDirectory } from './lock.ts';

/** An open file, read and written at positions. */
export interface OpenFile {
  /** Fills `buffer` from `position`; gives the octets read, fewer at the end of the file or at the system's will. */
  read(buffer: Uint8Array, position: number): Promise<number>;
  /** Gives the octets written, perhaps fewer than there are. */
  write(buffer: Uint8Array, position: number): Promise<number>;
  /**
   * As `write`, and what it took is on the disk when it resolves; what was written before and not synced perhaps is not. When it
   * rejects, the octets were refused, or they lie in the file and did not come to the disk.
   */
  writeThrough(buffer: Uint8Array, position: number): Promise<number>;
  truncate(size: number): Promise<void>;
  datasync(): Promise<void>;
  size(): Promise<number>;
  /** Its octets as the path shows them; undefined when it was deleted, moved or replaced, so that the path shows another. */
  sizeAt(path: string): number | undefined;
  close(): Promise<void>;
}

export type OpenMode =
  /** An existing file, to read only. */
  | 'read'
  /** An existing file, to read and write. */
  | 'write'
  /** A new or emptied file, to read and write. */
  | 'create';

/** The file calls that the journal makes, and no others: tests inject faults here. */
export interface FileSystem {
  open(path: string, mode: OpenMode): Promise<OpenFile>;
  rename(from: string, to: string): Promise<void>;
  /** No error when the file is missing. */
  remove(path: string): Promise<void>;
  /** With its parents; no error when it is there. */
  makeDirectory(path: string): Promise<void>;
  /**
   * Sees to it that nobody else reads or changes the directory and the journal in it; gives a line for the log for each thing
   * that was not so. Throws GatewayError store_unavailable when it cannot be put right.
   */
  guard(directory: string): Promise<readonly string[]>;
  syncDirectory(path: string): Promise<void>;
  /**
   * Calls back when the directory, or the journal in it, was perhaps deleted, moved or replaced, until the result is called.
   * Where nothing can be watched it never does.
   */
  watch(directory: string, changed: () => void): () => void;
  /** For this process alone, until the result is called. Throws GatewayError store_locked. */
  lock(directory: string): Promise<() => Promise<void>>;
}

const flags = { read: 'r', write: 'r+', create: 'w+' } as const;

/** Messages are private: nobody but the owner reads the store. */
const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;

/** What the gateway keeps in its state directory. */
const OWN_FILES = /^(journal|lock|imported|pin|modem)/;

export const nodeFileSystem: FileSystem = {
  async open(path, mode) {
    const handle = await open(path, flags[mode], FILE_MODE);
    const { ino, dev } = await handle.stat({ bigint: true }).catch(async (error) => {
      await handle.close();
      throw error;
    });
    /** The same file, where a write ends when the disk has it; undefined where it cannot be had. */
    let through: FileHandle | undefined;
    /** Resolves when that was tried. */
    let opening: Promise<void> | undefined;
    // By /proc it is this file, whatever has its name by now.
    const openThrough = async () => {
      through = await open(`/proc/self/fd/${handle.fd}`, constants.O_RDWR | constants.O_DSYNC).catch(() => undefined);
    };
    return {
      read: async (buffer, position) => (await handle.read(buffer, 0, buffer.length, position)).bytesRead,
      write: async (buffer, position) => (await handle.write(buffer, 0, buffer.length, position)).bytesWritten,
      async writeThrough(buffer, position) {
        // Write and sync in one call, so with one hand-over to a thread. It is handed over at once, but for the first.
        opening ??= openThrough();
        if (through === undefined) await opening;
        const { bytesWritten } = await (through ?? handle).write(buffer, 0, buffer.length, position);
        if (through === undefined) await handle.datasync();
        return bytesWritten;
      },
      truncate: (size) => handle.truncate(size),
      datasync: () => handle.datasync(),
      size: async () => (await handle.stat()).size,
      // At once: before each group it costs less than to hand it to a thread, and what it asks for is in memory.
      sizeAt(at) {
        try {
          const there = statSync(at, { bigint: true });
          return there.ino === ino && there.dev === dev ? Number(there.size) : undefined;
        } catch (error) {
          if (isGone(error)) return undefined;
          throw error;
        }
      },
      async close() {
        await opening;
        await Promise.all([handle.close(), through?.close()]);
      },
    };
  },
  rename: (from, to) => rename(from, to),
  remove: (path) => rm(path, { force: true }),
  async makeDirectory(path) {
    await mkdir(path, { recursive: true, mode: DIRECTORY_MODE });
  },
  async guard(directory) {
    return [
      ...(await guardDirectory(directory, (name) => OWN_FILES.test(name))),
      ...(await guardFile(join(directory, 'journal'))),
    ];
  },
  async syncDirectory(path) {
    const handle = await open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
  watch(directory, changed) {
    try {
      const names: readonly (string | null)[] = ['journal', basename(directory), null];
      const watcher = watch(directory, { persistent: false }, (event, name) => {
        if (event === 'rename' && names.includes(name)) changed();
      });
      watcher.on('error', () => watcher.close());
      return () => watcher.close();
    } catch {
      return () => {};
    }
  },
  lock: lockDirectory,
};

const fullCodes: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** States of the disk that may pass by themselves: the daemon goes on without a journal until they do. */
const passingCodes: ReadonlySet<string> = new Set([...fullCodes, 'EROFS', 'EIO']);

function errno(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

const isGone = (error: unknown): boolean => ['ENOENT', 'ENOTDIR', 'ESTALE'].includes(errno(error));
export const isMissing = (error: unknown): boolean => errno(error) === 'ENOENT';
export const isReadOnly = (error: unknown): boolean => errno(error) === 'EROFS';
export const isPassing = (error: unknown): boolean => passingCodes.has(errno(error));

/** A failed file call as callers see it: `store_full` when space is what lacks, else `store_unavailable`. */
export function storeError(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  if (fullCodes.has(errno(error))) return new GatewayError('store_full', 'the disk is full', { cause: error });
  return new GatewayError('store_unavailable', `the store cannot be used: ${describeError(error)}`, { cause: error });
}
