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
  defineModule({
    name: 'auto_reply',
    sections: ['auto_reply'],
    config: (config) => config.auto_reply,
    enabled: (config) => config.enabled,
    load: async () => (await import('./auto_reply/auto_reply.ts')).AutoReply,
  }),
  defineModule({
    name: 'rules',
    sections: ['rules', 'commands', 'gateway'],
    config: ({ rules, commands, gateway }) => ({ rules, commands, gateway }),
    enabled: ({ rules }) => rules.some((rule) => rule.enabled),
    load: async () => (await import('./rules/rules.ts')).Rules,
  }),
];
