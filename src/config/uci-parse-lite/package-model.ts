import { anonymousName, isName, isPackageName, isType } from './names.ts';
import { UciSection, type UciValue } from './section-model.ts';
import { UciError } from './uci-error.ts';

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

  /** Appends a section; an unnamed one without `name`, or with one that somebody else has made up for it. */
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

  /** Deletes an option, or the whole section. Says whether it was there. */
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
