import t from 'tap';
import { testFolder } from '../support/folder.ts';
import { freePort } from '../support/free-port.ts';
import { ModuleRig } from '../support/module-rig.ts';

/* Which modules a commit restarts: those that get another config, and no other. */

type Sections = Readonly<Record<string, Readonly<Record<string, string>>>>;

const lists = new Set(['alarm_number', 'alarm_email', 'number', 'recipemail', 'argv']);

/** Text of the sections, each written as `name` or `type name`. */
const textOf = (sections: Sections) =>
  Object.entries(sections)
    .map(([key, options]) => {
      const [type, name = type] = key.split(' ');
      const lines = Object.entries(options).map(
        ([option, value]) => `\t${lists.has(option) ? 'list' : 'option'} ${option} '${value}'\n`,
      );
      return `config ${type} '${name}'\n${lines.join('')}`;
    })
    .join('');

const port = `${await freePort()}`;
const base: Sections = {
  gateway: { admin_password: 'Geheim77', alarm_number: '+37060000009', alarm_email: 'boss@example.com' },
  post_get: { enabled: '1', password: 'secret123' },
  pop3: { enabled: '1', host: '127.0.0.1', port: '1', username: 'box', password: 'mail secret' },
  forwarding_to_http: { enabled: '1', url: 'http://127.0.0.1:1/' },
  forwarding_to_sms: { enabled: '1', number: '+37060000009' },
  forwarding_to_smtp: {
    enabled: '1',
    smtpip: '127.0.0.1',
    smtpport: '1',
    senderemail: 'gateway@example.com',
    recipemail: 'boss@example.com',
  },
  auto_reply: { enabled: '1', msg: 'x' },
  smpp: { enabled: '1', port, username: 'esme', password: 'smppword' },
  'rule rule_on': { enabled: '1', action: 'command', smstext: 'go', command: 'job' },
  'rule rule_off': { enabled: '0', action: 'send_status', smstext: 'off' },
  'command job': { name: 'job', argv: '/bin/true' },
  'hook hook_on': { enabled: '1', argv: '/bin/true' },
  'hook hook_off': { enabled: '0', argv: '/bin/true' },
  'webhook webhook_off': { enabled: '0', url: 'http://127.0.0.1:1/' },
  'group staff': { name: 'staff' },
};

const withOption = (sections: Sections, section: string, option: string, value: string): Sections => ({
  ...sections,
  [section]: { ...sections[section], [option]: value },
});

t.test('a commit restarts the modules that it concerns', async (t) => {
  const mailed = withOption(base, 'pop3', 'reply_on_failure', '1');
  const answered = withOption(base, 'forwarding_to_smtp', 'reply_by_mail', '1');
  const unmailed = withOption(mailed, 'forwarding_to_smtp', 'enabled', '0');
  const cases: readonly (readonly [Sections, string, string, string, readonly string[]])[] = [
    [base, 'gateway', 'log_text', '0', []],
    [base, 'gateway', 'capacity', '999', []],
    [base, 'gateway', 'keep_sent', '31', []],
    [base, 'gateway', 'admin_password', 'Another88', ['rules']],
    [base, 'gateway', 'serial', '12345678', ['rules']],
    [base, 'gateway', 'alarm_number', '+37060000008', ['alarms']],
    [base, 'rule rule_on', 'max_per_hour', '7', ['rules']],
    [base, 'rule rule_off', 'max_per_hour', '7', []],
    [base, 'command job', 'timeout', '7', ['rules']],
    [base, 'hook hook_on', 'timeout', '7', ['hooks']],
    [base, 'hook hook_off', 'timeout', '7', []],
    [base, 'hook hook_on', 'enabled', '0', ['hooks']],
    [base, 'webhook webhook_off', 'timeout', '7', []],
    [base, 'webhook webhook_off', 'enabled', '1', ['webhooks']],
    [base, 'group staff', 'name', 'people', []],
    [base, 'pop3', 'limit', '161', ['pop3']],
    [base, 'pop3', 'enabled', '0', ['pop3']],
    [answered, 'pop3', 'limit', '161', ['pop3']],
    [answered, 'pop3', 'enabled', '0', ['forwarding_to_smtp', 'pop3']],
    [base, 'forwarding_to_smtp', 'subject', 'x', ['forwarding_to_smtp']],
    [base, 'forwarding_to_smtp', 'password', 'x', ['alarms', 'forwarding_to_smtp']],
    [mailed, 'forwarding_to_smtp', 'subject', 'x', ['forwarding_to_smtp']],
    [mailed, 'forwarding_to_smtp', 'senderemail', 'a@example.com', ['alarms', 'forwarding_to_smtp', 'pop3']],
    [mailed, 'forwarding_to_smtp', 'enabled', '0', ['alarms', 'forwarding_to_smtp', 'pop3']],
    [unmailed, 'forwarding_to_smtp', 'subject', 'x', []],
    [unmailed, 'forwarding_to_smtp', 'senderemail', 'a@example.com', []],
    [base, 'smpp', 'enquire_link', '77', ['smpp']],
    [base, 'auto_reply', 'msg', 'y', ['auto_reply']],
  ];
  const rig = await ModuleRig.open(testFolder(t), { config: textOf(base) });
  t.teardown(() => rig.close());
  const times = () => new Map(rig.modules.list().map(({ name, since }) => [name, since]));
  for (const [before, section, option, value, restarted] of cases) {
    await rig.configure(textOf(before));
    const since = times();
    await rig.clock.advance(1);
    await rig.configure(textOf(withOption(before, section, option, value)));
    const moved = [...times()].filter(([name, time]) => time !== since.get(name)).map(([name]) => name);
    t.same(moved.toSorted(), restarted, `${section}.${option} ${value}${before === base ? '' : ', mails answered'}`);
  }
});
