import { defineModule, type ModuleDefinition } from './definition.ts';

/** Every gateway function, in the order in which they start. */
export const moduleDefinitions: readonly ModuleDefinition[] = [
  defineModule({
    name: 'post_get',
    sections: ['post_get'],
    config: (config) => config.post_get,
    enabled: (config) => config.enabled,
    load: async () => (await import('./post_get/post_get.ts')).PostGet,
  }),
];
