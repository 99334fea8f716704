import type { RepeatedName, SingleName } from './schema/index.ts';
import type { UciSection } from './uci-parse-lite/index.ts';

/** What is wrong with the config, for the log, `status`, LuCI and `config check`. Holds no secret. */
export interface ConfigError {
  /** After an error the section's last good values stay in force; a warning changes nothing. */
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
  /** As the file has it; absent when the file does not. */
  readonly uci?: UciSection | undefined;
}

/** More than these are only counted. */
const MAX_TOLD = 200;

/** Collects what is wrong while a config is read and checked. */
export class Problems {
  readonly #file: string;
  readonly #bad = new Set<string>();
  readonly #told: ConfigError[] = [];
  #count = 0;

  constructor(file: string) {
    this.#file = file;
  }

  /** How many there are, told or not. */
  get count(): number {
    return this.#count;
  }

  get errors(): readonly ConfigError[] {
    const untold = this.#count - this.#told.length;
    if (untold === 0) return this.#told;
    return [...this.#told, { severity: 'warning', file: this.#file, message: `${untold} more are not shown` }];
  }

  /** Whether the section has an error. */
  isBad({ key, section }: SectionPlace): boolean {
    return this.#bad.has(`${key} ${section}`);
  }

  error(place: SectionPlace, option: string | undefined, message: string, element = 0): void {
    this.#bad.add(`${place.key} ${place.section}`);
    this.#add('error', place, option, message, element);
  }

  warning(place: SectionPlace, option: string | undefined, message: string): void {
    this.#add('warning', place, option, message, 0);
  }

  /** A section that belongs to nothing. */
  strayWarning(section: UciSection, message: string): void {
    const { line, name } = section;
    this.#tell({ severity: 'warning', file: this.#file, line, section: name, message });
  }

  #add(
    severity: ConfigError['severity'],
    place: SectionPlace,
    option: string | undefined,
    message: string,
    element: number,
  ): void {
    const line = (option === undefined ? undefined : place.uci?.options.get(option)?.lines[element]) ?? place.uci?.line;
    this.#tell({
      severity,
      file: this.#file,
      ...(line === undefined || line === 0 ? {} : { line }),
      section: place.section,
      ...(option === undefined ? {} : { option }),
      message,
    });
  }

  #tell(error: ConfigError): void {
    this.#count++;
    if (this.#told.length < MAX_TOLD) this.#told.push(error);
  }
}
