import type { Config } from '../config/config.ts';
import type { GatewayModule, ModuleContext } from './module.ts';

/** A configuration key that belongs to a gateway function. */
export type ModuleName = 'post_get';

type ModuleClass<N extends ModuleName> = new (context: ModuleContext<Config[N]>) => GatewayModule;

/** One gateway function as the runtime knows it before its code is loaded. */
export interface ModuleDefinition<N extends ModuleName = ModuleName> {
  readonly name: N;
  enabled(config: Config): boolean;
  /** Loads the module's code and its packages: only when it is enabled. */
  load(): Promise<ModuleClass<N>>;
}

const define = <N extends ModuleName>(name: N, load: () => Promise<ModuleClass<N>>): ModuleDefinition<N> => ({
  name,
  enabled: (config) => config[name].enabled,
  load,
});

/** Every gateway function, in the order in which they start. */
export const moduleDefinitions = [
  define('post_get', async () => (await import('./post_get/post_get.ts')).PostGet),
] as const satisfies readonly ModuleDefinition<never>[];
