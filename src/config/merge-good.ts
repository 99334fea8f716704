import { isDeepStrictEqual } from 'node:util';
import type { LoadedConfig } from './load-config.ts';
import { isSwitch } from './read-section.ts';
import { type Config, type RepeatedName, repeatedNames, schemaOf, singleNames } from './schema/index.ts';

/** What was in force, with the sections of the file that it came from. */
export type InForce = Pick<LoadedConfig, 'config' | 'sections'>;

type Section = LoadedConfig['sections'][number];
type Repeated = Config[RepeatedName][number];

/**
 * The config to run: the loaded one, and for each section with an error the last good values of that section, switched off
 * where the file says so. An unreadable file changes nothing.
 */
export function mergeGood(previous: InForce, loaded: LoadedConfig): Config {
  if (loaded.unreadable) return previous.config;
  const bad = new Map(loaded.sections.filter((section) => section.bad).map((section) => [section.key, section]));
  const single = singleNames.flatMap((key) => {
    const section = bad.get(key);
    return section === undefined ? [] : [[key, asSwitched(previous.config[key], section)]];
  });
  const repeated = repeatedNames
    .filter((key) => bad.has(key))
    .map((key) => [key, mergeRepeated(key, previous, loaded)]);
  return { ...loaded.config, ...Object.fromEntries([...single, ...repeated]) };
}

function mergeRepeated(key: RepeatedName, previous: InForce, loaded: LoadedConfig): readonly Repeated[] {
  const good: readonly Repeated[] = loaded.config[key];
  const before: readonly Repeated[] = previous.config[key];
  const sections = loaded.sections.filter((section) => section.key === key);
  const unnamed = new Unnamed(key, previous, loaded);
  return sections.flatMap((section) => {
    const byName = (each: Repeated) => each.section === section.section;
    const found = !section.bad ? good.find(byName) : section.anonymous ? unnamed.take(section) : before.find(byName);
    return found === undefined ? [] : [section.bad ? asSwitched(found, section) : found];
  });
}

/**
 * The unnamed sections that were in force and are not in the file as they were. They are called by their positions, which
 * others take when one comes or goes: a token or a rule that was removed must not come back as one behind it with an error.
 */
class Unnamed {
  readonly #key: RepeatedName;
  readonly #left: Repeated[];
  /** As many as before: each is where it was. */
  readonly #inPlace: boolean;

  constructor(key: RepeatedName, previous: InForce, loaded: LoadedConfig) {
    const anonymous = ({ sections }: Pick<LoadedConfig, 'sections'>) =>
      sections.filter((section) => section.key === key && section.anonymous).map(({ section }) => section);
    const names = new Set(anonymous(previous));
    const good = new Set(loaded.config[key].map(optionsOf));
    const before: readonly Repeated[] = previous.config[key];
    this.#key = key;
    this.#left = before.filter((each) => names.has(each.section) && !good.has(optionsOf(each)));
    this.#inPlace = names.size === anonymous(loaded).length;
  }

  /** The last good values of a section with an error; undefined when none of these is surely the same one. */
  take(section: Section): Repeated | undefined {
    const inPlace = (each: Repeated) =>
      this.#inPlace && each.section === section.section && this.#likeness(each, section) >= 0.5;
    const same = (each: Repeated) => meant(section).length > 0 && this.#likeness(each, section) === 1;
    const at = [inPlace, same].map((is) => this.#left.findIndex(is)).find((found) => found !== -1) ?? -1;
    const [found] = at === -1 ? [] : this.#left.splice(at, 1);
    return found && { ...found, section: section.section };
  }

  /** Of the options that the section sets rightly, what share has the same value; 0 when its own name is another one. */
  #likeness(each: Repeated, section: Section): number {
    const values: Readonly<Record<string, unknown>> = { ...each };
    const { options } = schemaOf(this.#key);
    const set = meant(section);
    const other = set.filter(([name, value]) => !isDeepStrictEqual(values[name], value));
    if (other.some(([name]) => options[name]?.unique === true)) return 0;
    return set.length === 0 ? 1 : 1 - other.length / set.length;
  }
}

/** Who switches a section off means it, whatever else stands there. */
const asSwitched = <T extends object>(good: T, { off }: Section): T =>
  off
    ? { ...good, ...Object.fromEntries(Object.keys(good).flatMap((name) => (isSwitch(name) ? [[name, false]] : []))) }
    : good;

/** What tells a section from others: not that it is switched on. */
const meant = ({ set }: Section) => Object.entries(set).filter(([name]) => !isSwitch(name));

/** Equal for two sections that say the same, as options stand in the order of the schema. */
const optionsOf = (each: Repeated): string => JSON.stringify({ ...each, section: '' });
