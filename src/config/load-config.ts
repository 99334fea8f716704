import { join } from 'node:path';
import { checkConfig } from './checks/checks.ts';
import type { Config } from './config.ts';
import { placeSections } from './place-sections.ts';
import { type ConfigError, Problems, type SectionPlace } from './problems.ts';
import { isOn, readSection, type Values } from './read-section.ts';
import { isSingle, repeatedNames, repeatedSections, singleSections } from './schema/index.ts';
import { loadPackage, UciError, UciPackage } from './uci-parse-lite/index.ts';

export const PACKAGE = 'sms_gateway';

interface ReadSection {
  readonly place: SectionPlace;
  readonly values: Values;
}

export interface LoadedConfig {
  /** Complete and valid. A section with an error has its defaults here; a repeated one is left out. */
  readonly config: Config;
  readonly errors: readonly ConfigError[];
  /** Whether there is no file, or nothing in it, or it could not be read or parsed as a whole; then everything in `config` is default. */
  readonly unreadable: boolean;
  /** All sections in the order of the file. */
  readonly sections: readonly (Pick<SectionPlace, 'key' | 'section'> & {
    readonly bad: boolean;
    /** Whether it says that it is switched off. */
    readonly off: boolean;
  })[];
}

/** Reads `sms_gateway` from a config directory; without the file, the defaults. What is wrong is in `errors`. */
export async function loadConfig(directory: string): Promise<LoadedConfig> {
  const file = join(directory, PACKAGE);
  try {
    const found = await loadPackage(directory, PACKAGE);
    if (found !== undefined && found.sections.length > 0) return readConfig(found, file);
    // Some editors take the file away or empty it for a moment: no reason to switch everything off.
    const what = found === undefined ? 'there is no such file' : 'the file is empty';
    const message = `${what}: what was in force stays, at the start the defaults`;
    return unreadable({ severity: 'warning', file, message });
  } catch (error) {
    if (!(error instanceof UciError)) throw error;
    const line = error.line === undefined ? {} : { line: error.line };
    return unreadable({ severity: 'error', file, ...line, message: error.reason });
  }
}

function unreadable(fault: ConfigError): LoadedConfig {
  return { ...readConfig(new UciPackage(PACKAGE), fault.file), errors: [fault], unreadable: true };
}

function readConfig(uci: UciPackage, file: string): LoadedConfig {
  const problems = new Problems(file);
  const read = placeSections(uci, problems).map((place) => ({
    place,
    values: readSection(schemaOf(place), place, problems),
  }));
  checkConfig(read, configOf(read, problems), problems);
  const sections = read.map(({ place, values }) => {
    const { key, section } = place;
    return { key, section, bad: problems.isBad(place), off: !isOn(values) };
  });
  return { config: configOf(read, problems), errors: problems.errors, unreadable: false, sections };
}

function schemaOf({ key }: SectionPlace) {
  return isSingle(key) ? singleSections[key] : repeatedSections[key];
}

/** The typed config of the sections without errors. */
function configOf(read: readonly ReadSection[], problems: Problems): Config {
  const config: Record<string, Values | Values[]> = Object.fromEntries(repeatedNames.map((key) => [key, []]));
  for (const { place, values } of read) {
    const { key, section } = place;
    const bad = problems.isBad(place);
    const repeated = config[key];
    if (Array.isArray(repeated)) {
      if (!bad) repeated.push({ ...values, section });
    } else {
      // One wrong option of the gateway section is no reason to forget where the store may grow to.
      config[key] = bad && key !== 'gateway' ? defaultsOf(place) : values;
    }
  }
  // The schema table says what is in it, for the compiler and for readSection alike.
  return config as unknown as Config;
}

function defaultsOf({ key, section }: SectionPlace): Values {
  const place = { key, section };
  return readSection(schemaOf(place), place, new Problems(''));
}
