import type { Logger } from '../base/log.ts';
import type { Config } from './config.ts';
import { type ConfigDifference, diffConfig } from './diff.ts';
import { type LoadedConfig, loadConfig } from './load-config.ts';
import { mergeGood } from './merge-good.ts';
import type { ConfigError } from './problems.ts';

/** Takes up a new config by what differs from the old one. */
export type ApplyConfig = (next: Config, difference: ConfigDifference) => Promise<void>;

/** The config in force: what the directory holds, or the last good values of a section that is wrong there. */
export class LiveConfig {
  readonly #directory: string;
  readonly #log: Logger;
  #current: Config;
  #faults: readonly ConfigError[] = [];
  #sections: LoadedConfig['sections'];
  #reloading: Promise<unknown> = Promise.resolve();

  private constructor(directory: string, log: Logger, loaded: LoadedConfig) {
    this.#directory = directory;
    this.#log = log;
    this.#current = loaded.config;
    this.#sections = loaded.sections;
    this.#note(loaded.errors);
  }

  static async load(directory: string, log: Logger): Promise<LiveConfig> {
    return new LiveConfig(directory, log, await loadConfig(directory));
  }

  get current(): Config {
    return this.#current;
  }

  faults(): readonly ConfigError[] {
    return this.#faults;
  }

  /** What is wrong with a section of these keys that is not switched off, in one sentence. */
  faultOf(keys: readonly (keyof Config)[]): string | undefined {
    const bad = new Set(
      this.#sections.filter(({ key, bad, off }) => bad && !off && keys.includes(key)).map(({ section }) => section),
    );
    const fault = this.#faults.find(({ severity, section }) => severity === 'error' && bad.has(section ?? ''));
    return fault && faultText(fault);
  }

  /** Reads the directory again and applies the difference; resolves to the names of the sections that changed. */
  reload(apply: ApplyConfig): Promise<readonly string[]> {
    const turn = this.#reloading.then(() => this.#reload(apply));
    this.#reloading = turn.catch(() => {});
    return turn;
  }

  /** Resolves when no reload is under way. */
  async idle(): Promise<void> {
    await this.#reloading;
  }

  async #reload(apply: ApplyConfig): Promise<readonly string[]> {
    const loaded = await loadConfig(this.#directory);
    const next = mergeGood(this.#current, loaded);
    const difference = diffConfig(this.#current, next);
    this.#current = next;
    if (!loaded.unreadable) this.#sections = loaded.sections;
    this.#note(loaded.errors);
    if (difference.sections.length === 0) return [];
    this.#log.info(`changed: ${difference.sections.join(', ')}`);
    await apply(next, difference);
    return difference.sections;
  }

  /** A fault that stands since the last look is not news. */
  #note(faults: readonly ConfigError[]): void {
    const known = new Set(this.#faults.map(faultText));
    this.#faults = faults;
    for (const fault of faults) {
      const text = faultText(fault);
      if (!known.has(text)) this.#log[fault.severity](text);
    }
  }
}

/** `/etc/config/sms_gateway:12: smpp.port: wanted ...`. */
export function faultText({ file, line, section, option, message }: ConfigError): string {
  const place = [section, option].filter((part) => part !== undefined).join('.');
  return `${file}${line === undefined ? '' : `:${line}`}: ${place === '' ? '' : `${place}: `}${message}`;
}
