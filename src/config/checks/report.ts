import type { Problems, SectionPlace } from '../problems.ts';
import type { RepeatedName, SingleName } from '../schema/index.ts';

/** A single section, or a repeated one with its name. */
export type Where = SingleName | readonly [RepeatedName, section: string];

/** What a check says. The option is the one to change. */
export interface Report {
  error(where: Where, option: string, message: string): void;
  warning(where: Where, option: string, message: string): void;
}

export function reportTo(problems: Problems, places: readonly SectionPlace[]): Report {
  const byName = new Map(places.map((place) => [`${place.key} ${place.section}`, place]));
  const placeOf = (where: Where): SectionPlace => {
    const [key, section] = typeof where === 'string' ? [where, where] : where;
    return byName.get(`${key} ${section}`) ?? { key, section };
  };
  return {
    error: (where, option, message) => problems.error(placeOf(where), option, message),
    warning: (where, option, message) => problems.warning(placeOf(where), option, message),
  };
}

/** Names that options may refer to, those of sections with errors among them: what is wrong there is said there. */
export interface KnownNames {
  readonly modems: ReadonlySet<string>;
  readonly groups: ReadonlySet<string>;
  readonly commands: ReadonlySet<string>;
}
