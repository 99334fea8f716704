import type { RepeatedName, SingleName } from './schema/index.ts';
import type { Report } from './schema/option.ts';
import type { UciSection } from './uci-parse-lite/index.ts';

/** A fault of the config, for the log, `status`, LuCI and `config check`. Holds no secret. */
export interface ConfigError {
  /** After an error the section's last good values stay in force, unless the section is only refused; a warning changes nothing. */
  readonly severity: 'error' | 'warning';
  readonly file: string;
  readonly line?: number;
  readonly section?: string;
  readonly option?: string;
  readonly message: string;
}

/** One section as the typed config names it. */
export interface SectionPlace {
  readonly key: SingleName | RepeatedName;
  /** Its name; `@type[n]` or `modem0` for an unnamed one. */
  readonly section: string;
  /** The section of the file; absent when the file does not have it. */
  readonly uci?: UciSection | undefined;
}

/** More problems than these are only counted. */
const MAX_LISTED = 200;

/** Collects the faults while a config is read and checked. */
export class Problems {
  readonly #file: string;
  readonly #bad = new Set<string>();
  /** Options with an error. */
  readonly #wrong = new Set<string>();
  readonly #listed: ConfigError[] = [];
  #count = 0;

  constructor(file: string) {
    this.#file = file;
  }

  /** Number of problems, listed or not. */
  get count(): number {
    return this.#count;
  }

  /** In the order of the file; those of no line last. */
  get errors(): readonly ConfigError[] {
    const unlisted = this.#count - this.#listed.length;
    const lineOf = ({ line = Number.MAX_SAFE_INTEGER }: ConfigError) => line;
    const listed = this.#listed.toSorted((a, b) => lineOf(a) - lineOf(b));
    if (unlisted === 0) return listed;
    return [...listed, { severity: 'warning', file: this.#file, message: `${unlisted} more are not shown` }];
  }

  /** Whether the section has an error. */
  isBad({ key, section }: SectionPlace): boolean {
    return this.#bad.has(`${key} ${section}`);
  }

  /** Whether the option of the section has an error. */
  isWrong({ key, section }: SectionPlace, option: string): boolean {
    return this.#wrong.has(`${key} ${section} ${option}`);
  }

  error(place: SectionPlace, option: string | undefined, message: string, element = 0): void {
    this.#bad.add(`${place.key} ${place.section}`);
    if (option !== undefined) this.#wrong.add(`${place.key} ${place.section} ${option}`);
    this.#add('error', place, option, message, element);
  }

  /**
   * An error of a section that stays in force although this router cannot do what it asks for. A refused rule still keeps
   * its messages, with their passwords, from being forwarded, and answers with the reason.
   */
  refusal(place: SectionPlace, option: string, message: string): void {
    this.#add('error', place, option, message, 0);
  }

  warning(place: SectionPlace, option: string | undefined, message: string): void {
    this.#add('warning', place, option, message, 0);
  }

  /** What checks find in sections, each at its place. */
  reportOn(places: ReadonlyMap<object, SectionPlace>): Report {
    const at = (section: object, found: (place: SectionPlace) => void) => {
      const place = places.get(section);
      // Defaults that stand in for a section with errors have no place. They pass every check.
      if (place !== undefined) found(place);
    };
    return {
      error: (section, option, message) => at(section, (place) => this.error(place, option, message)),
      refusal: (section, option, message) => at(section, (place) => this.refusal(place, option, message)),
      warning: (section, option, message) => at(section, (place) => this.warning(place, option, message)),
    };
  }

  /** A section that no part of the config reads. */
  strayWarning(section: UciSection, message: string): void {
    const { line, name } = section;
    this.#list({ severity: 'warning', file: this.#file, line, section: name, message });
  }

  #add(
    severity: ConfigError['severity'],
    place: SectionPlace,
    option: string | undefined,
    message: string,
    element: number,
  ): void {
    const line = (option === undefined ? undefined : place.uci?.options.get(option)?.lines[element]) ?? place.uci?.line;
    this.#list({
      severity,
      file: this.#file,
      ...(line === undefined || line === 0 ? {} : { line }),
      section: place.section,
      ...(option === undefined ? {} : { option }),
      message,
    });
  }

  #list(error: ConfigError): void {
    this.#count++;
    if (this.#listed.length < MAX_LISTED) this.#listed.push(error);
  }
}

/** `/etc/config/sms_gateway:12: smpp.port: wanted ...`. */
export function faultText({ file, line, section, option, message }: ConfigError): string {
  const place = [section, option].filter((part) => part !== undefined).join('.');
  return `${file}${line === undefined ? '' : `:${line}`}: ${place === '' ? '' : `${place}: `}${message}`;
}
