import { isDeepStrictEqual } from 'node:util';
import type { Config } from './config.ts';
import { type RepeatedName, repeatedNames, repeatedSections, type SingleName, singleNames } from './schema/index.ts';

/** What differs between two configs. */
export interface ConfigDifference {
  /** Sections of which there is one. */
  readonly single: ReadonlySet<SingleName>;
  /** Names of repeated sections that came, went or changed. */
  readonly repeated: Readonly<Record<RepeatedName, ReadonlySet<string>>>;
  /** The keys of the typed config that differ. */
  readonly keys: ReadonlySet<keyof Config>;
  /** All of them in one list, as the event `config.changed` tells them: `smpp`, `modem.gsm0`. */
  readonly sections: readonly string[];
}

export function diffConfig(before: Config, after: Config): ConfigDifference {
  const single = singleNames.filter((key) => !isDeepStrictEqual(before[key], after[key]));
  const repeated = repeatedNames.map((key) => [key, changedSections(before[key], after[key])] as const);
  const named = repeated.flatMap(([key, names]) => [...names].map((name) => `${repeatedSections[key].name}.${name}`));
  return {
    single: new Set(single),
    keys: new Set([...single, ...repeated.filter(([, names]) => names.size > 0).map(([key]) => key)]),
    repeated: Object.fromEntries(repeated) as Record<RepeatedName, ReadonlySet<string>>,
    sections: [...single, ...named],
  };
}

type Named = readonly { readonly section: string }[];

function changedSections(before: Named, after: Named): ReadonlySet<string> {
  const old = new Map(before.map((each) => [each.section, each]));
  const changed = after.filter((each) => !isDeepStrictEqual(old.get(each.section), each));
  const kept = new Set(after.map((each) => each.section));
  const gone = before.filter((each) => !kept.has(each.section));
  return new Set([...changed, ...gone].map((each) => each.section));
}
