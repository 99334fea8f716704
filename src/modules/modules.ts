import { defineModule, type ModuleDefinition } from './host/contract.ts';
import { mailServerOf } from './kit/mail-server.ts';

/** What is switched off is as good as absent: no change of it restarts a module. */
const enabled = <S extends { readonly enabled: boolean }>(sections: readonly S[]): readonly S[] =>
  sections.filter((section) => section.enabled);

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
    sections: ['pop3'],
    config: ({ pop3, forwarding_to_smtp: smtp }) => ({
      pop3,
      server: pop3.reply_on_failure ? mailServerOf(smtp) : undefined,
    }),
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
    sections: ['forwarding_to_smtp'],
    config: ({ forwarding_to_smtp: smtp, pop3 }) => ({ smtp, answers: smtp.reply_by_mail && pop3.enabled }),
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
    sections: ['rules', 'commands'],
    config: ({ rules, commands, gateway: { admin_password, serial } }) => ({
      ...{ rules: enabled(rules), commands },
      secrets: { ...(admin_password !== undefined && { admin_password }), ...(serial !== undefined && { serial }) },
    }),
    enabled: ({ rules }) => rules.length > 0,
    load: async () => (await import('./rules/rules.ts')).Rules,
  }),
  defineModule({
    name: 'scheduled',
    sections: ['scheduled'],
    config: (config) => config.scheduled.filter(({ enable }) => enable),
    enabled: (messages) => messages.length > 0,
    load: async () => (await import('./scheduled/scheduled.ts')).Scheduled,
  }),
  defineModule({
    name: 'hooks',
    sections: ['hooks'],
    config: (config) => enabled(config.hooks),
    enabled: (hooks) => hooks.length > 0,
    load: async () => (await import('./hooks/hooks.ts')).Hooks,
  }),
  defineModule({
    name: 'webhooks',
    sections: ['webhooks'],
    config: (config) => enabled(config.webhooks),
    enabled: (webhooks) => webhooks.length > 0,
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
    sections: ['gateway'],
    config: ({ gateway: { alarm_number: numbers, alarm_email: addresses }, forwarding_to_smtp: smtp }) => ({
      ...{ numbers, addresses },
      server: addresses.length > 0 ? mailServerOf(smtp) : undefined,
    }),
    enabled: ({ numbers, addresses }) => numbers.length + addresses.length > 0,
    load: async () => (await import('./alarms/alarms.ts')).Alarms,
  }),
  defineModule({
    name: 'mqtt',
    sections: ['mqtt'],
    config: (config) => config.mqtt,
    enabled: (config) => config.enabled,
    load: async () => (await import('./mqtt/mqtt.ts')).Mqtt,
  }),
];
