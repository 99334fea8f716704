import { randomBytes } from 'node:crypto';
import type { Json } from '../../base/json.ts';
import { UciError, type UciPackage, type UciSection, type UciValue } from '../../config/uci-parse-lite/index.ts';

/** One change that waits to be applied, as the files in uci's save directory hold it. */
export type Change =
  | { readonly kind: 'add'; readonly section: string; readonly type: string; readonly anonymous: boolean }
  | { readonly kind: 'set'; readonly section: string; readonly option: string; readonly value: UciValue }
  | { readonly kind: 'remove'; readonly section: string; readonly option?: string }
  | { readonly kind: 'rename'; readonly section: string; readonly option?: string; readonly name: string }
  | { readonly kind: 'order'; readonly section: string; readonly position: number };

/** What one session may hold back. */
const MAX_CHANGES = 5_000;
const MAX_OCTETS = 512 * 1024;

/**
 * The changes of a session that are not applied yet. They are played over the file as it is then, so that what others
 * have changed since stays, as with the real uci.
 */
export class StagedChanges {
  #changes: Change[] = [];
  #octets = 0;
  /** The unnamed sections of the file when it was last looked at: made-up name → what is in it. */
  #known: ReadonlyMap<string, string> = new Map();

  get size(): number {
    return this.#changes.length;
  }

  /** Whether there is room for it. */
  add(change: Change): boolean {
    const size = JSON.stringify(change).length;
    if (this.#changes.length === MAX_CHANGES || this.#octets + size > MAX_OCTETS) return false;
    // Of values of the same option the last one counts, unless the order matters: then the section is another by now.
    if (change.kind === 'set') this.#forget((old) => old.kind === 'set' && sameOption(old, change));
    this.#changes.push(change);
    this.#octets += size;
    return true;
  }

  clear(): void {
    this.#changes = [];
    this.#octets = 0;
  }

  /** Plays the changes over a package. Those whose section has gone in the meantime are left out, as uci does. */
  applyTo(uci: UciPackage): void {
    this.#follow(uci);
    for (const change of this.#changes) {
      try {
        play(change, uci);
      } catch (error) {
        if (!(error instanceof UciError)) throw error;
      }
    }
  }

  /** As `uci changes` of rpcd has them. */
  toJson(): readonly Json[] {
    return this.#changes.flatMap(changeJson);
  }

  /**
   * The name of an unnamed section is its place, so it becomes another's when one before it comes or goes. A change must
   * follow its section, and is lost with it, rather than go to its neighbour.
   */
  #follow(uci: UciPackage): void {
    const before = this.#known;
    const now = new Map(
      uci.sections.filter(({ anonymous }) => anonymous).map((section) => [section.name, contentOf(section)]),
    );
    this.#known = now;
    const moved = new Map<string, string | undefined>();
    for (const { section } of this.#changes) {
      const content = before.get(section);
      if (content === undefined || now.get(section) === content || moved.has(section)) continue;
      const edited = now.has(section) && now.size === before.size;
      moved.set(section, [...now.keys()].find((name) => now.get(name) === content) ?? (edited ? section : undefined));
    }
    if (moved.size === 0) return;
    this.#changes = this.#changes.flatMap((change) => {
      const section = moved.has(change.section) ? moved.get(change.section) : change.section;
      return section === undefined ? [] : [{ ...change, section }];
    });
    this.#octets = this.#changes.reduce((sum, change) => sum + JSON.stringify(change).length, 0);
  }

  #forget(which: (change: Change) => boolean): void {
    this.#changes = this.#changes.filter((change) => {
      if (!which(change)) return true;
      this.#octets -= JSON.stringify(change).length;
      return false;
    });
  }
}

/** A name for an unnamed section until it is written. uci's own are shorter, and belong to what stands in the file. */
export const stagedName = (): string => `cfg${randomBytes(5).toString('hex')}`;

function changeJson(change: Change): readonly Json[] {
  const { kind, section } = change;
  const option = 'option' in change && change.option !== undefined ? [change.option] : [];
  if (kind === 'add') return [[kind, section, change.type]];
  if (kind === 'remove') return [[kind, section, ...option]];
  if (kind === 'rename') return [[kind, section, ...option, change.name]];
  if (kind === 'order') return [[kind, section, String(change.position)]];
  if (typeof change.value === 'string') return [[kind, section, ...option, change.value]];
  return change.value.map((value) => ['list-add', section, ...option, value]);
}

const contentOf = ({ type, options }: UciSection): string =>
  JSON.stringify([type, ...[...options].map(([name, { value }]) => [name, value])]);

const sameOption = (a: Change & { kind: 'set' }, b: Change & { kind: 'set' }): boolean =>
  a.section === b.section && a.option === b.option;

/** Throws UciError when it does not fit the package. */
function play(change: Change, uci: UciPackage): void {
  const { section } = change;
  switch (change.kind) {
    case 'add':
      // A named section that somebody else has made meanwhile is taken as it is.
      if (!change.anonymous && uci.section(section)?.type === change.type) return;
      uci.add(change.type, section, 0, change.anonymous);
      return;
    case 'set':
      uci.set(section, change.option, change.value);
      return;
    case 'remove':
      uci.delete(section, change.option);
      return;
    case 'rename':
      if (change.option === undefined) uci.rename(section, change.name);
      else renameOption(uci, section, change.option, change.name);
      return;
    case 'order':
      uci.reorder(section, change.position);
  }
}

function renameOption(uci: UciPackage, section: string, option: string, name: string): void {
  const value = uci.get(section, option);
  if (value === undefined) return;
  uci.delete(section, option);
  uci.set(section, name, value);
}
