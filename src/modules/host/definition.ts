import type { Config } from '../../config/config.ts';
import type { GatewayModule, ModuleContext } from './module.ts';

export type ConfigKey = keyof Config;

/** One gateway function as the runtime knows it, before its code is loaded. */
export interface ModuleDefinition {
  readonly name: string;
  /** Sections whose change restarts the module. */
  readonly sections: readonly ConfigKey[];
  enabled(config: Config): boolean;
  /** Loads the module's code and its packages, and makes an instance. Called only when it is enabled. */
  create(config: Config, context: <C>(own: C) => ModuleContext<C>): Promise<GatewayModule>;
}

interface Parts<C> {
  readonly name: string;
  readonly sections: readonly ConfigKey[];
  /** The module's own part of the config. */
  readonly config: (config: Config) => C;
  readonly enabled: (config: C) => boolean;
  readonly load: () => Promise<new (context: ModuleContext<C>) => GatewayModule>;
}

export function defineModule<C>({ name, sections, config: own, enabled, load }: Parts<C>): ModuleDefinition {
  return {
    name,
    sections,
    enabled: (config) => enabled(own(config)),
    async create(config, context) {
      const Module = await load();
      return new Module(context(own(config)));
    },
  };
}
