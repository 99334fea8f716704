import type { FileSystem, OpenFile, OpenMode } from '../../src/store/journal/file-system.ts';

interface Inode {
  data: Buffer;
  /** What a power cut leaves for certain. */
  synced: Buffer;
  /** After a failed sync the system takes its pages for clean: later syncs of this file prove nothing. */
  forgotten: boolean;
}

export type Call =
  | 'open'
  | 'read'
  | 'write'
  | 'truncate'
  | 'datasync'
  | 'size'
  | 'close'
  | 'rename'
  | 'remove'
  | 'mkdir'
  | 'syncdir';

/** What happens at a call: an error code that it fails with, or `crash`: the power goes while it is under way. */
export type Fault = string | undefined;

function failure(code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code });
}

/**
 * A file system in memory that knows what would survive a power cut: file contents up to the last sync, and perhaps
 * more; names up to the last sync of their directory, or perhaps the newer ones.
 */
export class MemoryFileSystem implements FileSystem {
  #names: Map<string, Inode>;
  #syncedNames: Map<string, Inode>;
  readonly #watchers = new Set<() => void>();
  readonly #locks = new Set<string>();
  readonly #random: () => number;
  #crashed = false;
  calls = 0;
  readonly log: Call[] = [];
  /** Asked before every call. */
  fault: (call: Call, path: string, number: number) => Fault = () => undefined;
  /** Most octets that one read or write moves. */
  chunk = Number.POSITIVE_INFINITY;

  constructor(random: () => number = () => 0.5, names = new Map<string, Inode>()) {
    this.#random = random;
    this.#names = names;
    this.#syncedNames = new Map(names);
  }

  /** The disk as the next start finds it. */
  afterPowerCut(): MemoryFileSystem {
    const names = this.#random() < 0.5 ? this.#names : this.#syncedNames;
    const inodes = new Map<Inode, Inode>();
    const survivor = (inode: Inode) => {
      const known = inodes.get(inode);
      if (known !== undefined) return known;
      const data = this.#remains(inode);
      const made = { data, synced: data, forgotten: false };
      inodes.set(inode, made);
      return made;
    };
    return new MemoryFileSystem(this.#random, new Map([...names].map(([path, inode]) => [path, survivor(inode)])));
  }

  /** What the next process finds after this one was killed: all that was written, though not all of it on the disk. */
  afterKill(): MemoryFileSystem {
    const next = new MemoryFileSystem(this.#random, this.#names);
    next.#syncedNames = this.#syncedNames;
    return next;
  }

  get crashed(): boolean {
    return this.#crashed;
  }

  content(path: string): Buffer | undefined {
    return this.#names.get(path)?.data;
  }

  put(path: string, data: Buffer): void {
    const inode = { data, synced: data, forgotten: false };
    this.#names.set(path, inode);
    this.#syncedNames.set(path, inode);
  }

  async open(path: string, mode: OpenMode): Promise<OpenFile> {
    await this.#enter('open', path);
    let inode = this.#names.get(path);
    if (mode === 'create') {
      inode ??= { data: Buffer.alloc(0), synced: Buffer.alloc(0), forgotten: false };
      inode.data = Buffer.alloc(0);
      this.#names.set(path, inode);
    }
    if (inode === undefined) throw failure('ENOENT');
    return this.#handle(inode, path);
  }

  async rename(from: string, to: string): Promise<void> {
    const move = () => {
      const inode = this.#names.get(from);
      if (inode === undefined) throw failure('ENOENT');
      this.#names.delete(from);
      this.#names.set(to, inode);
    };
    await this.#enter('rename', from, () => this.#random() < 0.5 && move());
    move();
  }

  async remove(path: string): Promise<void> {
    await this.#enter('remove', path);
    this.#names.delete(path);
  }

  async makeDirectory(path: string): Promise<void> {
    await this.#enter('mkdir', path);
  }

  async syncDirectory(path: string): Promise<void> {
    await this.#enter('syncdir', path);
    this.#syncedNames = new Map(this.#names);
  }

  async guard(): Promise<readonly string[]> {
    return [];
  }

  watch(_directory: string, changed: () => void): () => void {
    this.#watchers.add(changed);
    return () => void this.#watchers.delete(changed);
  }

  /** As when somebody else deletes the file, or puts another one in its place. */
  meddle(path: string, data?: Buffer): void {
    this.#names.delete(path);
    if (data !== undefined) this.put(path, data);
    for (const changed of this.#watchers) changed();
  }

  async lock(directory: string): Promise<() => Promise<void>> {
    if (this.#locks.has(directory)) throw failure('ELOCKED');
    this.#locks.add(directory);
    return async () => void this.#locks.delete(directory);
  }

  #handle(inode: Inode, path: string): OpenFile {
    const write = async (buffer: Uint8Array, position: number) => {
      const put = (count: number) => {
        const data = Buffer.alloc(Math.max(inode.data.length, position + count));
        inode.data.copy(data);
        data.set(buffer.subarray(0, count), position);
        inode.data = data;
        return count;
      };
      await this.#enter('write', path, () => put(Math.floor(this.#random() * buffer.length)));
      return put(Math.min(buffer.length, this.chunk));
    };
    const sync = (synced: () => Buffer) =>
      this.#enter('datasync', path, (fault) => {
        inode.forgotten ||= fault !== 'crash';
      }).then(() => {
        if (!inode.forgotten) inode.synced = synced();
      });
    return {
      read: async (buffer, position) => {
        await this.#enter('read', path);
        return inode.data.copy(buffer, 0, position, position + Math.min(buffer.length, this.chunk));
      },
      write,
      writeThrough: async (buffer, position) => {
        const count = await write(buffer, position);
        // Nothing but these octets: in front of them the disk may have zeros.
        await sync(() => {
          const data = Buffer.alloc(Math.max(inode.synced.length, position + count));
          inode.synced.copy(data);
          data.set(buffer.subarray(0, count), position);
          return data;
        });
        return count;
      },
      truncate: async (size) => {
        await this.#enter('truncate', path);
        inode.data = Buffer.from(inode.data.subarray(0, size));
      },
      datasync: () => sync(() => inode.data),
      size: async () => {
        await this.#enter('size', path);
        return inode.data.length;
      },
      sizeAt: (at) => (this.#names.get(at) === inode ? inode.data.length : undefined),
      close: async () => {
        await this.#enter('close', path);
      },
    };
  }

  /** A failing call may have done half its work. */
  async #enter(call: Call, path: string, half?: (fault: string) => unknown): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.#crashed) throw failure('ECRASHED');
    const fault = this.fault(call, path, this.calls++);
    this.log.push(call);
    if (fault === undefined) return;
    half?.(fault);
    this.#crashed = fault === 'crash';
    throw failure(fault);
  }

  /** Synced octets for certain; of the others some, perhaps with zeros behind, as file systems leave them. */
  #remains({ data, synced }: Inode): Buffer {
    const kept = synced.length + Math.floor(this.#random() * (data.length - synced.length + 1));
    if (data.length < synced.length || !data.subarray(0, synced.length).equals(synced)) {
      return this.#random() < 0.5 ? data : synced;
    }
    const zeros = this.#random() < 0.3 ? data.length - kept : 0;
    return Buffer.concat([data.subarray(0, kept), Buffer.alloc(zeros)]);
  }
}
