import { isDeepStrictEqual } from 'node:util';
import type { Config } from './config.ts';
import type { LoadedConfig } from './load-config.ts';
import { type RepeatedName, repeatedNames, singleNames } from './schema/index.ts';

/**
 * The config to run: the loaded one, and for each section with an error the last good one of the same name. An
 * unreadable file changes nothing.
 */
export function mergeGood(previous: Config, loaded: LoadedConfig): Config {
  if (loaded.unreadable) return previous;
  const bad = new Set(loaded.sections.filter((section) => section.bad).map((section) => section.key));
  const single = singleNames.filter((key) => bad.has(key)).map((key) => [key, previous[key]]);
  const repeated = repeatedNames
    .filter((key) => bad.has(key))
    .map((key) => [key, mergeRepeated(key, previous, loaded)]);
  return { ...loaded.config, ...Object.fromEntries([...single, ...repeated]) };
}

type Repeated = Config[RepeatedName][number];

function mergeRepeated(key: RepeatedName, previous: Config, loaded: LoadedConfig): readonly Repeated[] {
  const good: readonly Repeated[] = loaded.config[key];
  const before: readonly Repeated[] = previous[key];
  return loaded.sections
    .filter((section) => section.key === key)
    .flatMap(({ section, bad }) => {
      const found = (bad ? before : good).find((each) => each.section === section);
      // An unnamed section goes by its place. When others moved, the last good one of this place may be theirs.
      const moved = bad && section.startsWith('@') && good.some((each) => sameOptions(each, found));
      return found === undefined || moved ? [] : [found];
    });
}

function sameOptions(a: Repeated, b: Repeated | undefined): boolean {
  return b !== undefined && isDeepStrictEqual({ ...a, section: '' }, { ...b, section: '' });
}
