import { join } from 'node:path';
import { closest, didYouMean } from '../base/closest.ts';
import { exposureOf } from '../base/private-files.ts';
import { type ConfigError, Problems, type SectionPlace } from './problems.ts';
import { isOn, isSwitch, readSection, type Values } from './read-section.ts';
import {
  type Config,
  checks,
  isSingle,
  type RepeatedName,
  repeatedNames,
  repeatedSections,
  schemaOf,
  singleNames,
} from './schema/index.ts';
import type { RouterLacks } from './schema/rule.ts';
import { isSecret } from './secrets.ts';
import { checkNames, type ReadSection } from './section-names.ts';
import { loadPackage, UciError, UciPackage, type UciSection } from './uci-parse-lite/index.ts';

export const PACKAGE = 'sms_gateway';

/** A file that others can read or change, and what to say about it. */
export interface Exposure {
  readonly file: string;
  readonly text: string;
}

export interface LoadedConfig {
  /** Complete and valid. A section with an error has its defaults here; a repeated one is left out. */
  readonly config: Config;
  readonly errors: readonly ConfigError[];
  /** There is no file, or it is empty or cannot be parsed. Then everything in `config` is default. */
  readonly unreadable: boolean;
  /** The file is there and could not be read now, for want of descriptors or memory perhaps: it is worth another try. */
  readonly tryAgain: boolean;
  /** Which files others can read or change, and should not, as they are now: this one, and the private keys that it names. */
  readonly exposures: () => Promise<readonly Exposure[]>;
  /** All sections in the order of the file. */
  readonly sections: readonly (Pick<SectionPlace, 'key' | 'section'> & {
    readonly bad: boolean;
    /** The section is switched off, beyond doubt. */
    readonly off: boolean;
    /** It has no name in the file. */
    readonly anonymous: boolean;
    /** The options that the file sets, and rightly. */
    readonly set: Values;
  })[];
}

const lacksNothing: RouterLacks = () => undefined;

/**
 * Reads `sms_gateway`, or a file of another name, from a config directory; without the file, the defaults. Never rejects for a bad file: `errors` has
 * its errors, and the sections that need what the router lacks.
 */
export async function loadConfig(
  directory: string,
  lacks: RouterLacks = lacksNothing,
  name: string = PACKAGE,
): Promise<LoadedConfig> {
  const file = join(directory, name);
  try {
    const found = await loadPackage(directory, name);
    if (found !== undefined && found.sections.length > 0) {
      const loaded = readConfig(found, file, lacks);
      const secret = found.sections.some(holdsSecret) ? 'the passwords' : undefined;
      return { ...loaded, exposures: () => exposures(file, secret, loaded.config) };
    }
    // Some editors remove or empty the file for a moment: no reason to switch everything off.
    const what = found === undefined ? 'there is no such file' : 'the file is empty';
    const message = `${what}: what was in force stays in force; after a start these are the defaults`;
    return unreadable({ severity: 'warning', file, message });
  } catch (error) {
    if (!(error instanceof UciError)) throw error;
    const line = error.line === undefined ? {} : { line: error.line };
    const tryAgain = error.cause !== undefined;
    return { ...unreadable({ severity: 'error', file, ...line, message: error.explanation }), tryAgain };
  }
}

function unreadable(fault: ConfigError): LoadedConfig {
  const defaults = readConfig(new UciPackage(PACKAGE), fault.file, lacksNothing);
  return { ...defaults, errors: [fault], unreadable: true, exposures: async () => [] };
}

/** Whether the section sets a secret. */
function holdsSecret(section: UciSection): boolean {
  const places = singleNames.filter((key) => key === section.name);
  const kinds = repeatedNames.filter((key) => repeatedSections[key].name === section.type);
  return [...places, ...kinds].some((key) =>
    [...section.options].some(([name, { value }]) => isSecret(schemaOf(key), name, value)),
  );
}

async function exposures(file: string, secret: string | undefined, config: Config): Promise<readonly Exposure[]> {
  const { gateway, smpp, mqtt } = config;
  const keys = [gateway.http_key ?? gateway.http_cert, smpp.tls_key, mqtt.tls_key].filter((key) => key !== undefined);
  const looks = [
    exposureOf(file, secret).then((text) => ({ file, text })),
    ...[...new Set(keys)].map(async (key) => ({ file: key, text: await exposureOf(key, 'the private key') })),
  ];
  return (await Promise.all(looks)).flatMap(({ file, text }) => (text === undefined ? [] : [{ file, text }]));
}

/** The config of a parsed file, whatever stands in it: its errors go to `errors`. */
export function readConfig(uci: UciPackage, file: string, lacks: RouterLacks): Omit<LoadedConfig, 'exposures'> {
  const problems = new Problems(file);
  const read = placeSections(uci, problems).map((place) => readPlace(place, problems));
  const good = read.filter(({ place }) => !problems.isBad(place));
  const config = configOf(read, problems);
  const report = problems.reportOn(new Map(read.map(({ place, values }) => [values, place])));
  for (const check of checks) check(config, report, lacks);
  checkNames(read, good, problems);
  const sections = read.map(({ place, values }) => {
    const { key, section, uci: { anonymous = false } = {} } = place;
    return {
      key,
      section,
      bad: problems.isBad(place),
      off: isOff(place, values, problems),
      anonymous,
      set: setRightly(place, values, problems),
    };
  });
  return { config: configOf(read, problems), errors: problems.errors, unreadable: false, tryAgain: false, sections };
}

function readPlace(place: SectionPlace, problems: Problems): ReadSection {
  const { key, section } = place;
  const values = readSection(schemaOf(key), place, problems);
  return { place, values: isSingle(key) ? values : { ...values, section } };
}

/** The typed config of the sections without errors. */
function configOf(read: readonly ReadSection[], problems: Problems): Config {
  const config: Record<string, Values | Values[]> = Object.fromEntries(repeatedNames.map((key) => [key, []]));
  for (const { place, values } of read) {
    const { key } = place;
    const bad = problems.isBad(place);
    const repeated = config[key];
    if (Array.isArray(repeated)) {
      if (!bad) repeated.push(values);
    } else {
      // After one wrong option of the gateway section its other options still count: the limits of the store, above all.
      config[key] = bad && key !== 'gateway' ? defaultsOf(place) : values;
    }
  }
  const faulty_rule_texts = read.flatMap((section) => ruleTexts(section, problems));
  // The schema tables give both its type and the values that readSection reads.
  return { ...config, faulty_rule_texts } as unknown as Config;
}

/** Every text that a rule with an error may mean; none of one that is switched off beyond doubt. */
function ruleTexts({ place, values }: ReadSection, problems: Problems): readonly string[] {
  if (place.key !== 'rules' || !problems.isBad(place)) return [];
  return isOff(place, values, problems) ? [] : [place.uci?.options.get('smstext')?.value ?? []].flat();
}

/** A switch that cannot be read may have been meant to be on. */
function isOff(place: SectionPlace, values: Values, problems: Problems): boolean {
  return !isOn(values) && !Object.keys(values).some((name) => isSwitch(name) && problems.isWrong(place, name));
}

function setRightly(place: SectionPlace, values: Values, problems: Problems): Values {
  const names = [...(place.uci?.options.keys() ?? [])].filter((name) => !problems.isWrong(place, name));
  return Object.fromEntries(names.flatMap((name) => (values[name] === undefined ? [] : [[name, values[name]]])));
}

function defaultsOf({ key, section }: SectionPlace): Values {
  return readSection(schemaOf(key), { key, section }, new Problems(''));
}

/**
 * Assigns the sections of the file to the config, in the order of the file: single ones by name, whatever their type, and
 * also when the file does not have them; repeated ones by type.
 */
function placeSections(uci: UciPackage, problems: Problems): readonly SectionPlace[] {
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
  // Not the name that uci makes up: it changes when sections before this one come and go.
  return `@${section.type}[${index}]`;
}

function strayMessage({ type, name, anonymous }: UciSection): string {
  const single = singleNames.find((each) => each === type);
  if (single !== undefined) return `not used: the section must be named ${single}`;
  const types = [...repeatedNames.map((key) => repeatedSections[key].name), ...singleNames];
  const byName = anonymous ? undefined : closest(name, singleNames);
  const meant = byName === undefined ? didYouMean(type, types) : `, did you mean the name ${byName}?`;
  return `unknown section of type ${type}${meant}`;
}
