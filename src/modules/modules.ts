import { defineModule, type ModuleDefinition } from './host/contract.ts';

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
    name: 'pop3',
    sections: ['pop3', 'forwarding_to_smtp'],
    config: ({ pop3, forwarding_to_smtp }) => ({ pop3, forwarding_to_smtp }),
    enabled: ({ pop3 }) => pop3.enabled,
    load: async () => (await import('./pop3/pop3.ts')).EmailToSms,
  }),
  defineModule({
    name: 'forwarding_to_http',
    sections: ['forwarding_to_http'],
    config: (config) => config.forwarding_to_http,
    enabled: (config) => config.enabled,
    load: async () => (await import('./forwarding_to_http/forwarding_to_http.ts')).ForwardingToHttp,
  }),
  defineModule({
    name: 'forwarding_to_sms',
    sections: ['forwarding_to_sms'],
    config: (config) => config.forwarding_to_sms,
    enabled: (config) => config.enabled,
    load: async () => (await import('./forwarding_to_sms/forwarding_to_sms.ts')).ForwardingToSms,
  }),
  defineModule({
    name: 'forwarding_to_smtp',
    sections: ['forwarding_to_smtp', 'pop3'],
    config: ({ forwarding_to_smtp, pop3 }) => ({ smtp: forwarding_to_smtp, answers: pop3.enabled }),
    enabled: ({ smtp }) => smtp.enabled,
    load: async () => (await import('./forwarding_to_smtp/forwarding_to_smtp.ts')).ForwardingToEmail,
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
  defineModule({
    name: 'scheduled',
    sections: ['scheduled'],
    config: (config) => config.scheduled,
    enabled: (messages) => messages.some((message) => message.enable),
    load: async () => (await import('./scheduled/scheduled.ts')).Scheduled,
  }),
  defineModule({
    name: 'hooks',
    sections: ['hooks'],
    config: (config) => config.hooks,
    enabled: (hooks) => hooks.some((hook) => hook.enabled),
    load: async () => (await import('./hooks/hooks.ts')).Hooks,
  }),
  defineModule({
    name: 'webhooks',
    sections: ['webhooks'],
    config: (config) => config.webhooks,
    enabled: (webhooks) => webhooks.some((webhook) => webhook.enabled),
    load: async () => (await import('./webhooks/webhooks.ts')).Webhooks,
  }),
  defineModule({
    name: 'smpp',
    sections: ['smpp', 'smpp_accounts'],
    config: ({ smpp, smpp_accounts }) => ({ smpp, accounts: smpp_accounts }),
    enabled: ({ smpp }) => smpp.enabled,
    load: async () => (await import('./smpp/smpp.ts')).SmppServer,
  }),
  defineModule({
    name: 'alarms',
    sections: ['gateway', 'forwarding_to_smtp'],
    config: ({ gateway, forwarding_to_smtp }) => ({ gateway, forwarding_to_smtp }),
    enabled: ({ gateway }) => gateway.alarm_number.length + gateway.alarm_email.length > 0,
    load: async () => (await import('./alarms/alarms.ts')).Alarms,
  }),
];
