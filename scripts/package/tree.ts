import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path/posix';

/** What lies in a package, by its path without a leading slash. Everything belongs to root. */
export type Entry =
  | { readonly kind: 'directory'; readonly path: string; readonly mode: number }
  | { readonly kind: 'file'; readonly path: string; readonly mode: number; readonly data: Buffer }
  | { readonly kind: 'link'; readonly path: string; readonly target: string };

/** The files of a package as they lie on the system. */
export class Tree {
  readonly #entries = new Map<string, Entry>();

  file(path: string, data: Buffer | string, mode = 0o644): this {
    return this.#add({ kind: 'file', path, mode, data: Buffer.from(data) });
  }

  link(path: string, target: string): this {
    return this.#add({ kind: 'link', path, target });
  }

  directory(path: string, mode = 0o755): this {
    return this.#add({ kind: 'directory', path, mode });
  }

  /** A file or folder of the project under `path`. Executable files stay so; other rights do not depend on the checkout. */
  copy(source: string, path: string, wanted: (source: string) => boolean = () => true): this {
    const status = statSync(source);
    if (status.isDirectory()) {
      for (const name of readdirSync(source)) {
        const inner = join(source, name);
        if (wanted(inner)) this.copy(inner, join(path, name), wanted);
      }
      return this;
    }
    return this.file(path, readFileSync(source), status.mode & 0o100 ? 0o755 : 0o644);
  }

  /** Sorted by path, each folder before what lies in it, so that equal trees give equal archives. */
  get entries(): readonly Entry[] {
    return [...this.#entries.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  get files(): readonly Extract<Entry, { kind: 'file' }>[] {
    return this.entries.filter((entry) => entry.kind === 'file');
  }

  /** Octets of all files. */
  get size(): number {
    return this.files.reduce((sum, { data }) => sum + data.length, 0);
  }

  #add(entry: Entry): this {
    for (let parent = dirname(entry.path); parent !== '.'; parent = dirname(parent)) {
      if (!this.#entries.has(parent)) this.#entries.set(parent, { kind: 'directory', path: parent, mode: 0o755 });
    }
    this.#entries.set(entry.path, entry);
    return this;
  }
}

/** The tree of a folder on the disk, as a package manager left it: for comparisons. */
export function treeOf(folder: string): Tree {
  const tree = new Tree();
  for (const found of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const source = join(found.parentPath, found.name);
    const path = source.slice(folder.length + 1);
    if (found.isSymbolicLink()) tree.link(path, readlinkSync(source));
    else if (found.isDirectory()) tree.directory(path, statSync(source).mode & 0o7777);
    else if (found.isFile()) tree.file(path, readFileSync(source), statSync(source).mode & 0o7777);
  }
  return tree;
}
