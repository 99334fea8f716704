import type { Problems, SectionPlace } from './problems.ts';
import { type RepeatedName, repeatedNames, repeatedSections, singleNames } from './schema/index.ts';
import type { UciPackage, UciSection } from './uci-parse-lite/index.ts';

/**
 * Which section of the file is which part of the config, in the order of the file: the single ones by name whatever
 * their type (there even when the file does not have them), the repeated ones by type.
 */
export function placeSections(uci: UciPackage, problems: Problems): readonly SectionPlace[] {
  const places: SectionPlace[] = singleNames.map((key) => ({ key, section: key, uci: uci.section(key) }));
  const single = new Set(places.map((place) => place.uci));
  const perType = new Map<string, number>();
  for (const section of uci.sections) {
    const index = perType.get(section.type) ?? 0;
    perType.set(section.type, index + 1);
    if (single.has(section)) continue;
    const key = repeatedNames.find((name) => repeatedSections[name].name === section.type);
    if (key === undefined) problems.strayWarning(section, strayMessage(section));
    else places.push({ key, section: labelOf(key, section, index, uci), uci: section });
  }
  return places;
}

function labelOf(key: RepeatedName, section: UciSection, index: number, uci: UciPackage): string {
  if (!section.anonymous) return section.name;
  const modem = `modem${index}`;
  if (key === 'modems' && uci.section(modem) === undefined) return modem;
  // Not the name that uci makes up: that one changes when sections before it come and go.
  return `@${section.type}[${index}]`;
}

function strayMessage({ type }: UciSection): string {
  const single = singleNames.find((name) => name === type);
  return single === undefined ? `unknown section of type ${type}` : `not used: the section must be named ${single}`;
}
