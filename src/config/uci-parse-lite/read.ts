import { constants, open } from 'node:fs/promises';
import { join } from 'node:path';
import { textOfBytes } from './byte-text.ts';
import { isName, isPackageName, isType, UciError, UciPackage, type UciSection } from './model.ts';
import { Scanner } from './scanner.ts';

/** Far above any real config, and small enough for the memory of a router. */
export const limits = { bytes: 1_048_576, sections: 2_000, options: 20_000 } as const;

/**
 * Parses a file in uci's strict mode, under the name of its package (`package` lines in it are ignored, as when uci
 * loads by name). Throws UciError.
 */
export function parsePackage(name: string, bytes: Buffer, file?: string): UciPackage {
  if (bytes.length > limits.bytes) throw new UciError(`file of more than ${limits.bytes} bytes`, { file });
  const scanner = new Scanner(bytes.toString('latin1'));
  const parser = new Parser(new UciPackage(name), scanner);
  try {
    while (scanner.nextLine()) parser.line();
  } catch (error) {
    if (!(error instanceof UciError)) throw error;
    throw new UciError(error.reason, { file, line: scanner.reportedLine, openQuote: scanner.openQuote });
  }
  return parser.package;
}

class Parser {
  readonly package: UciPackage;
  readonly #scanner: Scanner;
  #section: UciSection | undefined;
  #options = 0;

  constructor(target: UciPackage, scanner: Scanner) {
    this.package = target;
    this.#scanner = scanner;
  }

  line(): void {
    for (let first = true; ; first = false) {
      const keyword = this.#scanner.keyword(first);
      if (keyword === undefined || keyword.startsWith('#')) return;
      const line = this.#scanner.line;
      if (keyword === 'p' || keyword === 'package') this.#packageLine();
      else if (keyword === 'c' || keyword === 'config') this.#configLine(line);
      else if (keyword === 'o' || keyword === 'option') this.#optionLine(line, false);
      else if (keyword === 'l' || keyword === 'list') this.#optionLine(line, true);
      else throw new UciError('invalid command');
    }
  }

  #packageLine(): void {
    if (!this.#scanner.afterKeyword()) throw new UciError('package without name');
    const name = this.#required();
    if (!isPackageName(name)) throw new UciError('invalid character in name field');
    this.#endOfStatement();
  }

  #configLine(line: number): void {
    if (!this.#scanner.afterKeyword()) throw new UciError('config without name');
    const type = this.#required();
    if (!isType(type)) throw new UciError('invalid character in type field');
    const name = this.#scanner.word();
    if (name !== '' && !isName(name)) throw new UciError('invalid character in name field');
    this.#endOfStatement();

    const old = name === '' ? undefined : this.package.section(name);
    if (old !== undefined && old.type !== type) {
      throw new UciError('section of different type overwrites prior section with same name');
    }
    if (this.package.sections.length >= limits.sections) throw new UciError(`more than ${limits.sections} sections`);
    this.#section = old ?? this.package.add(type, name === '' ? undefined : name, line);
  }

  #optionLine(line: number, list: boolean): void {
    if (this.#section === undefined) throw new UciError('option/list command found before the first section');
    if (!this.#scanner.afterKeyword()) throw new UciError('option without name');
    const name = this.#required();
    if (!isName(name)) throw new UciError('invalid character in name field');
    const value = textOfBytes(Buffer.from(this.#scanner.word(), 'latin1'));
    this.#endOfStatement();

    if (++this.#options > limits.options) throw new UciError(`more than ${limits.options} options`);
    if (list) this.#section.addList(name, value, line);
    // An empty value in a file neither sets nor deletes.
    else if (value !== '') this.#section.set(name, value, line);
  }

  #required(): string {
    const word = this.#scanner.word();
    if (word === '') throw new UciError('insufficient arguments');
    return word;
  }

  #endOfStatement(): void {
    if (this.#scanner.word() !== '') throw new UciError('too many arguments');
  }
}

/**
 * Loads a package from its config directory; undefined when it has no file. Staged changes do not count.
 * Throws UciError for a file that cannot be read or parsed.
 */
export async function loadPackage(directory: string, name: string): Promise<UciPackage | undefined> {
  const file = join(directory, name);
  const bytes = await readBounded(file);
  return bytes === undefined ? undefined : parsePackage(name, bytes, file);
}

async function readBounded(file: string): Promise<Buffer | undefined> {
  try {
    return await readRegular(file);
  } catch (error) {
    if (error instanceof UciError) throw error;
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new UciError(`cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
      file,
      cause: error,
    });
  }
}

async function readRegular(file: string): Promise<Buffer> {
  // Without O_NONBLOCK the open of a FIFO would never return.
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const info = await handle.stat();
    if (!info.isFile()) throw new UciError('not a regular file', { file });
    if (info.size > limits.bytes) throw new UciError(`file of more than ${limits.bytes} bytes`, { file });
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}
