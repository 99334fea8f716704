import { mkdir, open, rename, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { describeError, GatewayError } from '../../base/errors.ts';

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
  /** No error when the file is missing. */
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

/**
 * Makes this process the only one that uses `directory`; the result gives it back. Throws GatewayError store_locked.
 *
 * Node has no flock, and a lock file with a process id goes stale after a crash, lies after the id was given to another
 * process, and leaves a gap between looking and taking. So the lock is a listening socket in Linux' abstract namespace, named
 * after the device and inode of the directory: the kernel gives a name to one process only, at once, and takes it back
 * however the process ends. Nothing is left on disk, it works on a read-only file system, and another path to
 * the same directory is the same lock. It does not reach across network namespaces: two containers with networks of
 * their own must not share a state directory.
 */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  // Kept open: overlayfs, which routers have as root, may give a directory another inode number when nobody holds it.
  const handle = await open(directory, 'r');
  try {
    const { dev, ino } = await handle.stat({ bigint: true });
    const server = await listen(`\0sms_gateway/${dev}/${ino}`, directory);
    return async () => {
      await new Promise((resolve) => server.close(resolve));
      await handle.close();
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function listen(name: string, directory: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.unref();
    server.once('error', (error: NodeJS.ErrnoException) => {
      const locked = error.code === 'EADDRINUSE';
      reject(locked ? new GatewayError('store_locked', `another gateway already uses ${directory}`) : error);
    });
    server.listen(name, () => resolve(server));
  });
}

const fullCodes: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** States of the disk that may pass by themselves: the daemon goes on without a journal until they do. */
const passingCodes: ReadonlySet<string> = new Set([...fullCodes, 'EROFS', 'EIO']);

function errno(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

export const isMissing = (error: unknown): boolean => errno(error) === 'ENOENT';
export const isReadOnly = (error: unknown): boolean => errno(error) === 'EROFS';
export const isPassing = (error: unknown): boolean => passingCodes.has(errno(error));

/** A failed file call as callers see it: `store_full` when space is what lacks, else `store_unavailable`. */
export function storeError(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  if (fullCodes.has(errno(error))) return new GatewayError('store_full', 'the disk is full', { cause: error });
  return new GatewayError('store_unavailable', `the store cannot be used: ${describeError(error)}`, { cause: error });
}
