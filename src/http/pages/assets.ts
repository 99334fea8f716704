import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { Json, JsonObject } from '../../base/json.ts';

export interface AssetFile {
  readonly hash: string;
  readonly type: string;
  /** Of a LuCI module: the paths of the modules that it requires. */
  readonly requires?: readonly string[];
}

/** What `scripts/build-pages.ts` puts beside the program: the files, compressed, and this list of them. */
export interface Manifest {
  /** Path under the root of the server → what the file is. */
  readonly files: Readonly<Record<string, AssetFile>>;
  /** The nodes of menu.d and the files of acl.d, as they are installed on a router. */
  readonly menu: JsonObject;
  readonly acl: readonly Json[];
  /** Languages with a catalogue, such as `de`. */
  readonly languages: readonly string[];
  /** Language → text → its translation, for what the server itself writes: the login and the frame of the pages. */
  readonly documents: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const YEAR = 31_536_000;

/** The files of the pages. Read at each use: nothing stays in memory but the list. */
export class Assets {
  readonly #directory: string;
  readonly manifest: Manifest;

  private constructor(directory: string, manifest: Manifest) {
    this.#directory = directory;
    this.manifest = manifest;
  }

  /** Undefined when the pages are not installed. */
  static async open(directory: string): Promise<Assets | undefined> {
    try {
      return new Assets(directory, JSON.parse(await readFile(join(directory, 'manifest.json'), 'utf8')));
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }

  has(path: string): boolean {
    return Object.hasOwn(this.manifest.files, path);
  }

  /** The URL of a file, which changes with its content. */
  url(path: string): string {
    return `/${path}?v=${this.manifest.files[path]?.hash ?? ''}`;
  }

  /** The path of a module and of all that it requires, straight or by others. */
  withRequired(path: string): readonly string[] {
    const found = new Set([path]);
    // A set that grows while it is walked shows what was added, too.
    for (const each of found) for (const other of this.manifest.files[each]?.requires ?? []) found.add(other);
    return [...found].filter((each) => this.has(each));
  }

  /** Answers with a file that is in the list. A URL with the right hash may be kept for ever. */
  async send(path: string, query: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const file = this.manifest.files[path];
    if (file === undefined) throw new Error(`no file ${path} in the list`);
    const etag = `"${file.hash}"`;
    response.setHeader('ETag', etag);
    response.setHeader('Vary', 'Accept-Encoding');
    response.setHeader('X-Content-Type-Options', 'nosniff');
    response.setHeader('Cache-Control', query === `v=${file.hash}` ? `public, max-age=${YEAR}, immutable` : 'no-cache');
    if (request.headers['if-none-match'] === etag) {
      response.statusCode = 304;
      response.end();
      return;
    }
    const packed = await readFile(join(this.#directory, `${path}.gz`));
    const takesGzip = /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/i.test(
      String(request.headers['accept-encoding'] ?? ''),
    );
    const body = takesGzip ? packed : await promisify(gunzip)(packed);
    if (takesGzip) response.setHeader('Content-Encoding', 'gzip');
    response.setHeader('Content-Type', file.type);
    response.setHeader('Content-Length', body.length);
    response.end(request.method === 'HEAD' ? undefined : body);
  }
}
