import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { configDocs, docsFile } from '../../scripts/config-docs.ts';
import { createLogger } from '../../src/base/log.ts';
import { ceilingPolicy } from '../../src/config/ceilings.ts';
import type { Config } from '../../src/config/config.ts';
import { describeSchema } from '../../src/config/describe.ts';
import { diffConfig, LiveConfig } from '../../src/config/live-config.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { mergeGood } from '../../src/config/merge-good.ts';
import { fileForm, parsePackage } from '../../src/config/uci-parse-lite/index.ts';
import { whyNot } from '../../src/store/outbox/destinations.ts';
import { testFolder } from '../support/folder.ts';
import { complaints, load } from './load.ts';

const root = join(import.meta.dirname, '../..');

t.test('without a file, the defaults', async (t) => {
  const { config, errors, unreadable } = await loadConfig(testFolder(t));
  t.match(errors, [{ severity: 'warning', message: /no such file/ }]);
  t.equal(unreadable, true, 'a reload leaves what is in force');
  t.strictSame(config.post_get, {
    enabled: false,
    username: 'user1',
    password: 'user_pass',
    date_format: 'ctime',
    factory_sends: false,
    strict_status: false,
    allow_from: [],
    send_timeout: 30,
    max_failures: 10,
    lockout: 300,
  });
  t.match(config.smpp, { enabled: false, username: 'admin', password: 'admin01', port: 7777 });
  t.match(config.pop3, { enabled: false, host: '', limit: 160, time: 'min', min: 1, ssl: false, delete: 'all' });
  t.match(config.auto_reply, { enabled: false, every_sms: false, delete_msg: false, mode: 'everyone', number: [] });
  t.match(config.forwarding_to_http, { verify_cert: 'ignore', method: 'get', success_codes: ['200-299'] });
  t.match(config.gateway, { log_level: 'info', sync: 'always', capacity: 1000 });
  t.same([config.modems, config.scheduled, config.groups, config.rules], [[], [], [], []]);
});

t.test('values are typed, and numbers brought to one form', async (t) => {
  const loaded = await load(
    t,
    `config gateway 'gateway'
	option sync '5'
config modem
	option device 'tcp://127.0.0.1:7000'
	option smsc '0037060000001'
	list init 'AT+QURCCFG="urcport","usbat"'
config modem 'gsm'
	option device '/dev/ttyUSB2'
config wrong_type 'auto_reply'
	option enabled 'on'
	option msg 'Ačiū'
	option mode 'list'
	list number '+370 600 00001'
	list number ''
	list number '112'
config group
	option name 'alarm'
	option tel '+37060000001'
config msg
	option enable '1'
	option group 'alarm'
	option message 'hi'
	option repeats 'month'
	option monthday '28-31'
config sms_gateway 'forwarding_to_http'
	option enabled '1'
	option url '192.168.1.1:81/sms?key=1'
	option message_name 'Text'
`,
  );
  t.same(complaints(loaded), []);
  const { config } = loaded;
  t.equal(config.gateway.sync, 5);
  t.match(config.modems, [
    { section: 'modem0', enabled: true, device: 'tcp://127.0.0.1:7000', smsc: '+37060000001', reports: true },
    { section: 'gsm', device: '/dev/ttyUSB2' },
  ]);
  t.notOk('smsc' in (config.modems[1] ?? {}), 'what is not set and has no default is absent');
  t.match(config.auto_reply, { enabled: true, msg: 'Ačiū', number: ['+37060000001', '112'] });
  t.same(config.groups, [{ section: '@group[0]', name: 'alarm', tel: ['+37060000001'] }]);
  t.match(config.scheduled, [{ section: '@msg[0]', hour: 1, minute: 1, monthday: '28-31', repeats: 'month' }]);
});

const good = `config x 'post_get'
	option enabled '1'
config x 'smpp'
	option enabled '1'
config modem 'gsm'
	option device 'sim'
config msg
	option enable '1'
	option phonenumber '1'
	option message 'first'
config msg
	option enable '1'
	option phonenumber '2'
	option message 'second'
`;

t.test('a mistake keeps the last good values of its own section', async (t) => {
  const before = await load(t, good);
  const after = async (...edits: readonly (readonly [string, string])[]) => {
    const text = edits.reduce((edited, [from, to]) => edited.replace(from, to), good);
    t.not(text, good, 'the edit does something');
    return mergeGood(before, await load(t, text));
  };
  const changes = (config: Config) => diffConfig(before.config, config).sections;

  t.same(changes(await after(["'post_get'\n", "'post_get'\noption username 'new'\n"])), ['post_get']);
  t.same(changes(await after(["'post_get'\n", "'post_get'\noption username 'new'\noption lockout 'x'\n"])), []);
  t.same(
    changes(
      await after(["'post_get'\n", "'post_get'\noption lockout 'x'\n"], ["'smpp'\n", "'smpp'\noption port '1'\n"]),
    ),
    ['smpp'],
  );
  t.same(changes(await after(["'sim'", "'nonsense'"])), []);
  t.same(changes(await after(["config modem 'gsm'", "config modem 'other'"])), ['modem.other', 'modem.gsm']);
  t.same(changes(await after(["phonenumber '2'", "phonenumber 'x'"])), []);
  t.same(changes(await after(["phonenumber '1'", "phonenumber 'x'"], ["'second'", "'2nd'"])), ['msg.@msg[1]']);
  t.same(changes(await after(['config msg', 'broken'])), [], 'a file that does not parse changes nothing');

  // A wrong section put in front moves the others: no message may come twice.
  const moved = await after(['config msg', "config msg\noption enable '1'\noption hour '99'\nconfig msg"]);
  t.same(
    moved.scheduled.map((msg) => msg.message),
    ['first', 'second'],
  );

  const fresh = await load(t, good.replace("'post_get'\n", "'post_get'\noption lockout 'x'\n"));
  t.equal(fresh.config.post_get.enabled, false, 'without a last good config the module is off');
  const gateway = await load(t, "config x 'gateway'\noption capacity '5000'\noption log_level 'loud'");
  t.match(gateway.config.gateway, { capacity: 5000, log_level: 'info' }, 'of the gateway section the rest counts');
});

t.test('an unnamed section that is gone does not come back as one with an error', async (t) => {
  const token = (name: string, more = '') =>
    `config token\n\toption name '${name}'\n\toption hash '${name.repeat(8)}:${name.repeat(64)}'\n${more}`;
  const wrong = "\toption expires 'tomorrow'\n";
  const msg = (message: string, hour = '8') =>
    `config msg\n\toption enable '1'\n\toption phonenumber '1'\n\toption message '${message}'\n\toption hour '${hour}'\n`;
  const modem = (device: string, more = '') => `config modem\n\toption device '${device}'\n${more}`;
  const bad = "\toption baudrate 'x'\n";
  for (const [what, before, after, inForce] of [
    ['one of which nothing was in force moves up', [token('a'), token('b', wrong)], [token('b', wrong)], []],
    ['one with good values moves up', [token('a'), token('b')], [token('b', wrong)], ['b']],
    ['another name in the same place', [token('a')], [token('b', wrong)], []],
    ['an edit in place', [token('a'), token('b')], [token('a', wrong), token('b')], ['a', 'b']],
    ['one comes in front, the last has an error', [token('a')], [token('c'), token('a', wrong)], ['c', 'a']],
    ['the order changes', [token('a'), token('b')], [token('b', wrong), token('a')], ['b', 'a']],
    ['a message that is gone', [msg('a'), msg('b', '99')], [msg('b', '99')], []],
    ['a message that moves up', [msg('a'), msg('b')], [msg('b', '99')], ['b']],
    ['another message in the same place', [msg('a', '7')], [msg('b', '99')], ['a']],
    ['a modem that is gone', [modem('/dev/a'), modem('/dev/b', bad)], [modem('/dev/b', bad)], []],
    ['a modem that moves up', [modem('/dev/a'), modem('/dev/b')], [modem('/dev/b', bad)], ['/dev/b']],
  ] as const) {
    const loaded = await load(t, after.join(''));
    const { tokens, scheduled, modems } = mergeGood(await load(t, before.join('')), loaded);
    const found = [
      ...tokens.map((each) => [each.section, each.name]),
      ...scheduled.map((each) => [each.section, each.message]),
      ...modems.map((each) => [each.section, each.device]),
    ];
    t.same(
      found.map(([, name]) => name),
      inForce,
      what,
    );
    const sections = loaded.sections.map(({ section }) => section);
    t.ok(
      found.every(([section]) => section !== undefined && sections.includes(section)),
      `${what}: by its place now`,
    );
  }
});

t.test('a section with an error is switched off where the file says so', async (t) => {
  const before = await load(t, good);
  const off = (text: string) => text.replace(/option enabled? '1'/g, (on) => on.replace('1', '0'));
  for (const [from, to] of [
    ["'post_get'\n", "'post_get'\n\toption lockout 'x'\n"],
    ["'sim'\n", "'nonsense'\n\toption enabled '1'\n"],
    ["phonenumber '2'", "phonenumber 'x'"],
  ] as const) {
    const { post_get, modems, scheduled } = mergeGood(before, await load(t, off(good.replace(from, to))));
    t.same(
      [post_get.enabled, ...scheduled.map(({ enable }) => enable), ...modems.map(({ enabled }) => enabled)],
      [false, false, false, !to.includes('nonsense')],
      to,
    );
  }
  t.equal(mergeGood(before, await load(t, good.replace("'sim'", "'nonsense'"))).modems[0]?.enabled, true);
  const removed = good.replace("\toption enabled '1'\n", "\toption lockout 'x'\n");
  t.equal(mergeGood(before, await load(t, removed)).post_get.enabled, false, 'off by default');
  const unclear = good.replace("\toption enabled '1'\n", "\toption enabled 'yess'\n");
  t.equal(mergeGood(before, await load(t, unclear)).post_get.enabled, true, 'a switch that cannot be read');
});

t.test('of allowed prefixes that cannot be read none allows anything', async (t) => {
  const allowed = async (...prefixes: string[]) => {
    const lines = prefixes.map((prefix) => `\tlist allow_prefix '${prefix}'\n`).join('');
    const { config, errors } = await load(t, `config x 'gateway'\n${lines}`);
    t.equal(errors.length, prefixes.length);
    const policy = ceilingPolicy(config.gateway);
    return (number: string, of: string) => whyNot(number, [of], policy, () => ['370']) === undefined;
  };
  const none = await allowed('+370-6');
  for (const number of ['+37060000001', '+19005551234', '112', '060000001', '0060000001', '*100#']) {
    t.notOk(none(number, 'rpc'), number);
  }
  const one = await allowed('pop3 +370-6');
  t.notOk(one('+37060000001', 'pop3'));
  t.ok(one('+37060000001', 'rpc'), 'it was for one function');
});

t.test('of rules with an error the texts are known, unless they are switched off beyond doubt', async (t) => {
  const texts = async (...lines: readonly string[]) => {
    const text = `config rule\n\toption action 'send_status'\n${lines.map((line) => `\t${line}\n`).join('')}`;
    return (await load(t, text)).config.faulty_rule_texts;
  };
  const [on, off, stat, wrong] = [
    "option enabled '1'",
    "option enabled '0'",
    "option smstext 'Stat'",
    "option max_parts '99'",
  ];
  t.same(await texts(on, stat), [], 'no error');
  t.same(await texts(on, stat, wrong), ['Stat']);
  t.same(await texts(on, stat, "option authorisation 'passwrd'"), ['Stat']);
  t.same(await texts("option enabled 'ja'", stat), ['Stat'], 'perhaps it is on');
  t.same(await texts(off, stat, wrong), []);
  t.same(await texts(stat, wrong), []);
  t.same(await texts(on, "list smstext 'a'", "list smstext 'b c'"), ['a', 'b c']);
  t.same(await texts(on), [], 'none is known');
  const merged = mergeGood(
    await load(t, ''),
    await load(t, `config rule 'r'\n\t${on}\n\t${stat}\n\t${wrong}\n\toption action 'reboot'\n`),
  );
  t.same([merged.rules, merged.faulty_rule_texts], [[], ['Stat']], 'also of one that came by a commit');
});

t.test('values with a clear meaning are accepted in other forms', async (t) => {
  const text = `config x 'post_get'
	option enabled ' YES '
	option date_format ' ISO'
	option allow_from '10.0.0.0/8 192.168.1.1'
config x 'smpp'
	option port ' 7777 '
	option password ' a b '
config x 'gateway'
	option sync 'Always'
	option log_level 'Debug'
config x 'auto_reply'
	option enabled '1'
	option msg ' hi '
	option mode 'List'
	option number '+37060000001 +37060000002'
config msg
	option enable 'True'
	option phonenumber ' \u202a+370 600-00001 '
	option message 'x'
	option repeats 'Week'
	option weekday 'Mon'
config x 'forwarding_to_smtp'
	option enabled '1'
	option smtpip ' mail.example.org '
	option senderemail ' Alarm Box <alarm@example.org> '
	option recipemail 'a@example.org, b@example.org'
config modem
	option device ' sim '
config x 'pop3'
	option enabled '0'
	option password ' p '
	option allow_from 'a@example.org, @example.com'
config x 'forwarding_to_http'
	option enabled '0'
	option success_codes '200 204-206'
	option header 'X-Api-Key: a b'
config group
	option name 'spaced'
	option tel '+370 600 00001'
config group
	option name 'commas'
	option tel '060000001,060000002;060000003'
config group
	option name 'short'
	option tel '1234 5678'
config group
	option name 'local'
	option tel '0049 170 1234567'
config group
	option name 'blank'
	list tel ' +37060000001 '
	list tel '  '
`;
  const { config, errors } = await load(t, text);
  t.same(errors, []);
  t.match(config.post_get, { enabled: true, date_format: 'iso', allow_from: ['10.0.0.0/8', '192.168.1.1'] });
  t.match(config.smpp, { port: 7777, password: ' a b ' });
  t.match(config.gateway, { sync: 'always', log_level: 'debug' });
  t.match(config.auto_reply, { msg: ' hi ', mode: 'list', number: ['+37060000001', '+37060000002'] });
  t.match(config.modems, [{ device: 'sim' }]);
  t.match(config.pop3, { password: ' p ', allow_from: ['a@example.org', '@example.com'] });
  t.match(config.forwarding_to_http, { success_codes: ['200', '204-206'], header: ['X-Api-Key: a b'] });
  t.match(config.scheduled, [{ enable: true, phonenumber: '+37060000001', repeats: 'week', weekday: 'mon' }]);
  t.match(config.forwarding_to_smtp, {
    smtpip: 'mail.example.org',
    senderemail: 'alarm@example.org',
    recipemail: ['a@example.org', 'b@example.org'],
  });
  t.same(
    config.groups.map(({ tel }) => tel),
    [['+37060000001'], ['060000001', '060000002', '060000003'], ['12345678'], ['+491701234567'], ['+37060000001']],
  );
  for (const wrong of ['a@b.org <', '<a@b.org> x', 'Name <a b@c.org>', 'Name <>', 'a@b.org, c@d.org']) {
    const { errors } = await load(t, `config x 'forwarding_to_smtp'\noption senderemail '${wrong}'\n`);
    t.match(errors, [{ option: 'senderemail' }], wrong);
  }
});

t.test('the first error of sections that are not switched off', async (t) => {
  const text = (enabled: string, port: string) =>
    `config x 'smpp'\n\toption enabled '${enabled}'\n\toption port '${port}'\nconfig group\n\tlist tel 'x'\n`;
  const directory = testFolder(t, { sms_gateway: text('1', 'abc') });
  const live = await LiveConfig.load(directory, createLogger({ level: 'error', write: () => undefined }));
  t.match(live.faultOf(['smpp']), /sms_gateway:3: smpp\.port: "abc" is not a port/);
  t.match(live.faultOf(['pop3', 'groups']), /:4: @group\[0\]\.name: must be set/);
  t.equal(live.faultOf(['pop3']), undefined);
  for (const [enabled, port] of [
    ['0', 'abc'],
    ['1', '7777'],
  ] as const) {
    writeFileSync(join(directory, 'sms_gateway'), text(enabled, port));
    await live.reload(async () => undefined);
    t.equal(live.faultOf(['smpp']), undefined, `${enabled} ${port}`);
  }
});

t.test('an empty file changes nothing', async (t) => {
  const before = await load(t, good);
  for (const text of ['', '\n', '# nothing yet\n']) {
    const loaded = await load(t, text);
    t.match(loaded, {
      unreadable: true,
      errors: [{ severity: 'warning', message: /^the file is empty: what was in force/ }],
    });
    t.same(mergeGood(before, loaded), before.config);
  }
});

t.test('files that cannot be used', async (t) => {
  const directory = testFolder(t, { sms_gateway: "config x 'post_get'\nbroken\n" });
  const file = join(directory, 'sms_gateway');
  t.match(await loadConfig(directory), {
    unreadable: true,
    errors: [{ severity: 'error', file, line: 2, message: 'invalid command' }],
    config: { post_get: { enabled: false } },
  });
  writeFileSync(file, Buffer.alloc(2_000_000, '#'));
  t.match(await loadConfig(directory), { unreadable: true, errors: [{ message: /^file of more than/ }] });
  t.match(await loadConfig(testFolder(t, { sms_gateway: {} })), { errors: [{ message: 'not a regular file' }] });
});

t.test('a thousand errors: the first 200 are listed, every bad section is left out', async (t) => {
  const { config, errors } = await load(t, 'config group\n\tlist tel x\n'.repeat(1000));
  t.equal(errors.length, 201);
  t.match(errors.at(-1), { message: '1800 more are not shown' });
  t.same(config.groups, []);
});

t.test('differences', async (t) => {
  const empty = (await loadConfig(testFolder(t))).config;
  const full = (await load(t, good)).config;
  const difference = diffConfig(empty, full);
  t.same([...difference.single], ['post_get', 'smpp']);
  t.same([...difference.repeated.modems], ['gsm']);
  t.same([...difference.repeated.scheduled], ['@msg[0]', '@msg[1]']);
  t.same([...difference.repeated.groups], []);
  t.same(difference.sections, ['post_get', 'smpp', 'modem.gsm', 'msg.@msg[0]', 'msg.@msg[1]']);
  t.same(
    diffConfig(full, (await load(t, `# comment\n${good}`)).config).sections,
    [],
    'comments and lines are no difference',
  );
});

t.test('the shipped config', async (t) => {
  const directory = join(root, 'files/etc/config');
  const bytes = readFileSync(join(directory, 'sms_gateway'));
  t.equal(fileForm(parsePackage('sms_gateway', bytes)).toString(), bytes.toString(), 'is written as uci writes it');
  const loaded = await loadConfig(directory);
  t.same(loaded.errors, []);
  t.match(loaded.config.modems, [{ device: 'auto', enabled: true }]);
  const empty = (await loadConfig(testFolder(t))).config;
  t.same(diffConfig(empty, loaded.config).sections, ['modem.modem0'], 'sets nothing but defaults, and a modem');
});

t.test('describe', (t) => {
  const sections = describeSchema();
  t.match(sections['post_get'], {
    repeated: false,
    options: {
      enabled: { type: 'boolean', default: false, origin: 'original' },
      password: { type: 'string', secret: true, default: 'user_pass', min_length: 5 },
      allow_from: { type: 'list', of: { type: 'network' }, origin: 'added' },
    },
  });
  t.match(sections['modem'], { repeated: true, options: { baudrate: { min: 300, max: 4_000_000, unit: 'bit/s' } } });
  t.same(JSON.parse(JSON.stringify(sections)), sections, 'is plain JSON');
  t.end();
});

t.test('docs/config.md is up to date', (t) => {
  t.equal(readFileSync(docsFile, 'utf8'), configDocs(), 'run: npx tsx scripts/config-docs.ts');
  t.end();
});
