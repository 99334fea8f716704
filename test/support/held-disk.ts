import { deferred } from '../../src/base/abort.ts';
import { type FileSystem, nodeFileSystem } from '../../src/store/journal/file-system.ts';

type Fault = 'ENOSPC' | 'EIO';

/** A disk whose writes can be held up, and then fail. */
export interface HeldDisk {
  readonly fileSystem: FileSystem;
  /** Nothing is written until the result is called, and then perhaps fails. */
  hold(): (fault?: Fault) => void;
  /** Calls back once between the next write and who waits for it: nothing that comes from elsewhere is seen in between. */
  afterWrite(callback: () => void): void;
  readonly isWriting: boolean;
}

export function heldDisk(): HeldDisk {
  let free: Promise<Fault | undefined> = Promise.resolve(undefined);
  let written: (() => void) | undefined;
  let isWriting = false;
  const fileSystem: FileSystem = {
    ...nodeFileSystem,
    async open(path, mode) {
      const file = await nodeFileSystem.open(path, mode);
      return {
        ...file,
        async writeThrough(buffer, position) {
          isWriting = true;
          const fault = await free;
          isWriting = false;
          if (fault !== undefined) throw Object.assign(new Error(fault), { code: fault });
          const octets = await file.writeThrough(buffer, position);
          written?.();
          written = undefined;
          return octets;
        },
        async truncate(size) {
          // What a bad disk has half of, it keeps.
          if ((await free) === 'EIO') throw Object.assign(new Error('EIO'), { code: 'EIO' });
          return file.truncate(size);
        },
      };
    },
  };
  const hold = () => {
    const end = deferred<Fault | undefined>();
    free = end.promise;
    return end.resolve;
  };
  const afterWrite = (callback: () => void) => {
    written = callback;
  };
  return {
    fileSystem,
    hold,
    afterWrite,
    get isWriting() {
      return isWriting;
    },
  };
}
