import { isDeepStrictEqual } from 'node:util';
import { GatewayError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { Mutex } from '../base/mutex.ts';
import { type LoadedConfig, loadConfig } from './load-config.ts';
import { mergeGood } from './merge-good.ts';
import { type ConfigError, faultText } from './problems.ts';
import {
  type Config,
  type RepeatedName,
  repeatedNames,
  repeatedSections,
  type SingleName,
  singleNames,
} from './schema/index.ts';
import type { RouterLacks } from './schema/rule.ts';

/** Applies a new config by what differs from the old one. */
export type ApplyConfig = (next: Config, difference: ConfigDifference) => Promise<void>;

/** The config in force: what the file says; of a section with an error there, the last good values. */
export class LiveConfig {
  readonly #directory: string;
  readonly #log: Logger;
  readonly #lacks: RouterLacks | undefined;
  #current: Config;
  #faults: readonly ConfigError[] = [];
  #exposures: LoadedConfig['exposures'];
  /** Sentences that the log has. */
  #exposed: ReadonlySet<string> = new Set();
  #sections: LoadedConfig['sections'];
  #tryAgain: boolean;
  readonly #reloading = new Mutex();

  private constructor(directory: string, log: Logger, lacks: RouterLacks | undefined, loaded: LoadedConfig) {
    this.#directory = directory;
    this.#log = log;
    this.#lacks = lacks;
    this.#current = loaded.config;
    this.#sections = loaded.sections;
    this.#tryAgain = loaded.tryAgain;
    this.#exposures = loaded.exposures;
    this.#note(loaded.errors);
  }

  /**
   * Throws GatewayError config_invalid when the file is there and cannot be read. One that does not parse is read as far as to
   * know its fault: then the defaults run, and `status` shows the line.
   */
  static async load(directory: string, log: Logger, lacks?: RouterLacks): Promise<LiveConfig> {
    const loaded = await loadConfig(directory, lacks);
    const [fault] = loaded.errors;
    if (loaded.unreadable && fault?.severity === 'error' && fault.line === undefined) {
      throw new GatewayError('config_invalid', faultText(fault));
    }
    const config = new LiveConfig(directory, log, lacks, loaded);
    await config.warnings();
    return config;
  }

  get current(): Config {
    return this.#current;
  }

  /** Whether the file could not be read when it was read last, and another try may succeed. */
  get tryAgain(): boolean {
    return this.#tryAgain;
  }

  faults(): readonly ConfigError[] {
    return this.#faults;
  }

  /** What its owner should do about the file itself and the keys that it names, as they are now. What is new is logged. */
  async warnings(): Promise<readonly string[]> {
    const sentences = (await this.#exposures()).map(({ text }) => text);
    for (const sentence of sentences) if (!this.#exposed.has(sentence)) this.#log.warning(sentence);
    this.#exposed = new Set(sentences);
    return sentences;
  }

  /** The first error in a section of these keys that is not switched off, as one sentence. */
  faultOf(keys: readonly (keyof Config)[]): string | undefined {
    const bad = new Set(
      this.#sections.filter(({ key, bad, off }) => bad && !off && keys.includes(key)).map(({ section }) => section),
    );
    const fault = this.#faults.find(({ severity, section }) => severity === 'error' && bad.has(section ?? ''));
    return fault && faultText(fault);
  }

  /** Reads the directory again and applies the difference; resolves to the names of the sections that changed. */
  reload(apply: ApplyConfig): Promise<readonly string[]> {
    return this.#reloading.run(() => this.#reload(apply));
  }

  /** Resolves when no reload is under way. */
  idle(): Promise<void> {
    return this.#reloading.idle();
  }

  async #reload(apply: ApplyConfig): Promise<readonly string[]> {
    const loaded = await loadConfig(this.#directory, this.#lacks);
    const next = mergeGood({ config: this.#current, sections: this.#sections }, loaded);
    const difference = diffConfig(this.#current, next);
    this.#current = next;
    this.#tryAgain = loaded.tryAgain;
    if (!loaded.unreadable) this.#sections = loaded.sections;
    this.#exposures = loaded.exposures;
    this.#note(loaded.errors);
    await this.warnings();
    if (difference.sections.length === 0) return [];
    this.#log.info(`changed: ${difference.sections.join(', ')}`);
    await apply(next, difference);
    return difference.sections;
  }

  /** Logs the faults that are new since the last load. */
  #note(faults: readonly ConfigError[]): void {
    const known = new Set(this.#faults.map(faultText));
    this.#faults = faults;
    for (const fault of faults) {
      const text = faultText(fault);
      if (!known.has(text)) this.#log[fault.severity](text);
    }
  }
}

/** What differs between two configs. */
export interface ConfigDifference {
  /** Sections of which there is one. */
  readonly single: ReadonlySet<SingleName>;
  /** Names of repeated sections that came, went or changed. */
  readonly repeated: Readonly<Record<RepeatedName, ReadonlySet<string>>>;
  /** All of them in one list, as the event `config.changed` carries them: `smpp`, `modem.gsm0`. */
  readonly sections: readonly string[];
}

export function diffConfig(before: Config, after: Config): ConfigDifference {
  const single = singleNames.filter((key) => !isDeepStrictEqual(before[key], after[key]));
  const repeated = repeatedNames.map((key) => [key, changedSections(before[key], after[key])] as const);
  const named = repeated.flatMap(([key, names]) => [...names].map((name) => `${repeatedSections[key].name}.${name}`));
  return {
    single: new Set(single),
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
