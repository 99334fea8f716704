export interface UciErrorOptions extends ErrorOptions {
  readonly file?: string | undefined;
  /** 1-based; as uci counts, the last line counts only when a newline ends it, so 0 occurs. */
  readonly line?: number | undefined;
  /** Line of a quote that is perhaps not closed, where one may be behind the error. */
  readonly openQuote?: number | undefined;
}

/** What uci-parse-lite throws. `reason` is the wording of the real uci where it has one. */
export class UciError extends Error {
  readonly reason: string;
  readonly file: string | undefined;
  readonly line: number | undefined;
  readonly openQuote: number | undefined;

  constructor(reason: string, options: UciErrorOptions = {}) {
    const line = options.line === undefined ? '' : ` at line ${options.line}`;
    super(`${options.file === undefined ? '' : `${options.file}: `}${reason}${line}`, options);
    this.name = 'UciError';
    this.reason = reason;
    this.file = options.file;
    this.line = options.line;
    this.openQuote = options.openQuote;
  }

  /** The reason, and where else to look: of a quote that is not closed uci notices only what comes of it, many lines later. */
  get explanation(): string {
    if (this.openQuote === undefined) return this.reason;
    return `${this.reason}; a quote that opens in line ${this.openQuote} is perhaps not closed`;
  }
}

/** What uci accepts as a name of a section or an option. */
export function isName(text: string): boolean {
  return /^[A-Za-z0-9_]+$/.test(text);
}

export function isPackageName(text: string): boolean {
  return /^[A-Za-z0-9_-]+$/.test(text);
}

/** What uci accepts as the type of a section: printable ASCII without blanks. */
export function isType(text: string): boolean {
  return /^[!-~]+$/.test(text);
}

/** The name that uci gives to an unnamed section: the running number of the section and a hash of its type. */
function anonymousName(number: number, type: string): string {
  let hash = 5381;
  for (let i = 0; i < type.length; i++) hash = (Math.imul(hash, 33) + type.charCodeAt(i)) | 0;
  const hex = (value: number, width: number) => value.toString(16).padStart(width, '0');
  return `cfg${hex(number, 2)}${hex(hash & 0xffff, 4)}`;
}

export type UciValue = string | readonly string[];

export interface UciOption {
  readonly value: UciValue;
  /** Lines of the file that the value, or each element of the list, stands on; 0 for what was not read from a file. */
  readonly lines: readonly number[];
}

interface OwnOption extends UciOption {
  readonly value: string | string[];
  readonly lines: number[];
}

export interface SectionHead {
  /** For an unnamed section the name that uci makes up. It shifts when sections move: never store it. */
  readonly name: string;
  readonly type: string;
  readonly anonymous: boolean;
  /** Line of the file; 0 for what was not read from a file. */
  readonly line: number;
}

export class UciSection implements SectionHead {
  readonly name: string;
  readonly type: string;
  readonly anonymous: boolean;
  readonly line: number;
  readonly #options: Map<string, OwnOption>;

  constructor(head: SectionHead, options = new Map<string, OwnOption>()) {
    this.name = head.name;
    this.type = head.type;
    this.anonymous = head.anonymous;
    this.line = head.line;
    this.#options = options;
  }

  /** In the order of the file. */
  get options(): ReadonlyMap<string, UciOption> {
    return this.#options;
  }

  /** Sets an option; one that exists keeps its position. An empty value or list deletes it. */
  set(option: string, value: UciValue, line = 0): void {
    checkOption(option, value);
    if (value.length === 0) this.#options.delete(option);
    else if (typeof value === 'string') this.#options.set(option, { value, lines: [line] });
    else this.#options.set(option, { value: [...value], lines: value.map(() => line) });
  }

  /** Appends to a list. A single value becomes the first element. */
  addList(option: string, value: string, line = 0): void {
    checkOption(option, value);
    const old = this.#options.get(option);
    const elements = old === undefined ? [] : typeof old.value === 'string' ? [old.value] : old.value;
    const lines = old?.lines ?? [];
    elements.push(value);
    lines.push(line);
    this.#options.set(option, { value: elements, lines });
  }

  /** True when the option existed. */
  delete(option: string): boolean {
    return this.#options.delete(option);
  }

  /** The same section under a name of its own. */
  renamed(name: string): UciSection {
    return new UciSection({ name, type: this.type, anonymous: false, line: this.line }, this.#options);
  }
}

function checkOption(option: string, value: UciValue): void {
  if (!isName(option)) throw new UciError('invalid character in name field');
  const elements = typeof value === 'string' ? [value] : value;
  if (elements.some((element) => element.includes('\0'))) throw new UciError('a value cannot hold a NUL byte');
}

/** A loaded UCI package: its sections in order, and the edits that the `uci` command knows. */
export class UciPackage {
  readonly name: string;
  #sections: UciSection[] = [];
  readonly #byName = new Map<string, UciSection>();
  /** Sections ever added; numbers the unnamed ones. */
  #added = 0;

  constructor(name: string) {
    if (!isPackageName(name)) throw new UciError('invalid package name');
    this.name = name;
  }

  get sections(): readonly UciSection[] {
    return this.#sections;
  }

  /** The section of this name, or `@type[n]` counted from 0, from the end when negative. */
  section(name: string): UciSection | undefined {
    const match = /^@([!-~]*)\[(-?[0-9]+)\]$/.exec(name);
    if (match === null) return this.#byName.get(name);
    const candidates = match[1] === '' ? this.#sections : this.#sections.filter((each) => each.type === match[1]);
    return candidates.at(Number(match[2]));
  }

  get(section: string, option: string): UciValue | undefined {
    return this.section(section)?.options.get(option)?.value;
  }

  /** Appends a section; an unnamed one without `name`, or with a name that another program made up for it. */
  add(type: string, name?: string, line = 0, anonymous = name === undefined): UciSection {
    if (!isType(type)) throw new UciError('invalid character in type field');
    if (name !== undefined) this.#checkNew(name);
    this.#added++;
    const section = new UciSection({ name: name ?? anonymousName(this.#added, type), type, anonymous, line });
    this.#sections.push(section);
    if (!this.#byName.has(section.name)) this.#byName.set(section.name, section);
    return section;
  }

  /** Sets an option; an empty value or list deletes it. */
  set(section: string, option: string, value: UciValue): void {
    this.#need(section).set(option, value);
  }

  addList(section: string, option: string, value: string): void {
    this.#need(section).addList(option, value);
  }

  /** Deletes an option, or the whole section. True when it existed. */
  delete(section: string, option?: string): boolean {
    const found = this.section(section);
    if (found === undefined) return false;
    if (option !== undefined) return found.delete(option);
    this.#sections = this.#sections.filter((each) => each !== found);
    if (this.#byName.get(found.name) === found) this.#byName.delete(found.name);
    return true;
  }

  /** Gives a section, also an unnamed one, a name. */
  rename(section: string, name: string): void {
    const found = this.#need(section);
    this.#checkNew(name);
    const renamed = found.renamed(name);
    this.#sections = this.#sections.map((each) => (each === found ? renamed : each));
    this.#byName.delete(found.name);
    this.#byName.set(name, renamed);
  }

  /** Moves a section to a place counted from 0; beyond the end is the end. */
  reorder(section: string, position: number): void {
    const found = this.#need(section);
    const others = this.#sections.filter((each) => each !== found);
    others.splice(Math.max(0, position), 0, found);
    this.#sections = others;
  }

  #need(name: string): UciSection {
    const found = this.section(name);
    if (found === undefined) throw new UciError('section not found');
    return found;
  }

  #checkNew(name: string): void {
    if (!isName(name)) throw new UciError('invalid character in name field');
    if (this.#byName.has(name)) throw new UciError('section exists');
  }
}
