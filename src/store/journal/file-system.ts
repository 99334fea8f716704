import { mkdir, open, rename, rm } from 'node:fs/promises';
import { lockDirectory } from './lock.ts';

/** An open file, read and written at positions. */
export interface OpenFile {
  /** Fills `buffer` from `position`; gives the octets read, fewer at the end of the file or at the system's will. */
  read(buffer: Uint8Array, position: number): Promise<number>;
  /** Gives the octets written, perhaps fewer than there are. */
  write(buffer: Uint8Array, position: number): Promise<number>;
  truncate(size: number): Promise<void>;
  datasync(): Promise<void>;
  size(): Promise<number>;
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
  /** No error when there is none. */
  remove(path: string): Promise<void>;
  /** With its parents; no error when it is there. */
  makeDirectory(path: string): Promise<void>;
  syncDirectory(path: string): Promise<void>;
  /** For this process alone, until the result is called. Throws GatewayError store_locked. */
  lock(directory: string): Promise<() => Promise<void>>;
}

const flags = { read: 'r', write: 'r+', create: 'w+' } as const;

/** Messages are private: nobody but the owner reads the store. */
const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;

export const nodeFileSystem: FileSystem = {
  async open(path, mode) {
    const handle = await open(path, flags[mode], FILE_MODE);
    return {
      read: async (buffer, position) => (await handle.read(buffer, 0, buffer.length, position)).bytesRead,
      write: async (buffer, position) => (await handle.write(buffer, 0, buffer.length, position)).bytesWritten,
      truncate: (size) => handle.truncate(size),
      datasync: () => handle.datasync(),
      size: async () => (await handle.stat()).size,
      close: () => handle.close(),
    };
  },
  rename: (from, to) => rename(from, to),
  remove: (path) => rm(path, { force: true }),
  async makeDirectory(path) {
    await mkdir(path, { recursive: true, mode: DIRECTORY_MODE });
  },
  async syncDirectory(path) {
    const handle = await open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
  lock: lockDirectory,
};
