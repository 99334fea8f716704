import type { Problems, SectionPlace } from './problems.ts';
import { isOn, type Value, type Values } from './read-section.ts';
import { type RepeatedName, schemaOf } from './schema/index.ts';
import type { Condition, OptionRow, ReferenceTarget, ScalarRow } from './schema/option.ts';

export interface ReadSection {
  readonly place: SectionPlace;
  readonly values: Values;
}

interface Target {
  readonly key: RepeatedName;
  /** The error, up to the name. */
  readonly missing: string;
  readonly nameOf: (section: ReadSection) => Value | undefined;
  /** The reference is checked even while its section is switched off. */
  readonly whileOff?: true;
}

const targets: Readonly<Record<ReferenceTarget, Target>> = {
  modem: {
    key: 'modems',
    missing: 'there is no modem section',
    nameOf: ({ place }) => place.section,
    whileOff: true,
  },
  group: { key: 'groups', missing: 'there is no group', nameOf: ({ values }) => values['name'] },
  command: {
    key: 'commands',
    missing: 'there is no command section with the name',
    nameOf: ({ values }) => values['name'],
  },
};

/**
 * Checks the options that name other sections, and the names that must be unique. A section with an error can be named:
 * the error is reported once, at the section that has it.
 */
export function checkNames(sections: readonly ReadSection[], good: readonly ReadSection[], problems: Problems): void {
  const known = (target: Target) =>
    new Set(sections.filter(({ place }) => place.key === target.key).map((section) => target.nameOf(section)));
  const names = { modem: known(targets.modem), group: known(targets.group), command: known(targets.command) };
  const taken = new Set<string>();
  for (const { place, values } of good) {
    for (const [option, row] of Object.entries(schemaOf(place.key).options)) {
      const value = values[option];
      if (value === undefined) continue;
      if (row.unique) {
        const name = JSON.stringify(value);
        const key = `${place.key} ${option} ${name}`;
        if (taken.has(key)) problems.error(place, option, `${name} is there already`);
        taken.add(key);
      }
      const reference = referenceOf(row);
      if (reference === undefined || !counts(reference, values)) continue;
      for (const [element, name] of [value].flat().entries()) {
        if (names[reference.to].has(name)) continue;
        problems.error(place, option, `${targets[reference.to].missing} ${JSON.stringify(name)}`, element);
      }
    }
  }
}

type Reference = Extract<ScalarRow, { type: 'reference' }>;

function referenceOf(row: OptionRow): Reference | undefined {
  const scalar = row.type === 'list' ? row.of : row;
  return scalar.type === 'reference' ? scalar : undefined;
}

function counts({ to, when = {} }: Reference, values: Values): boolean {
  return (targets[to].whileOff === true || isOn(values)) && fulfils(values, when);
}

function fulfils(values: Values, when: Condition): boolean {
  return Object.entries(when).every(([option, allowed]) => allowed.some((value) => value === values[option]));
}
