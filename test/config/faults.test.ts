import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { createLogger } from '../../src/base/log.ts';
import { LiveConfig } from '../../src/config/live-config.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { repeatedSections, singleSections } from '../../src/config/schema/index.ts';
import type { SectionSchema } from '../../src/config/schema/option.ts';
import { fileForm, UciPackage } from '../../src/config/uci-parse-lite/index.ts';
import { testFolder } from '../support/folder.ts';
import { complaints, load } from './load.ts';

const on = (section: string, ...options: string[]) =>
  ['config x', ` '${section}'\n`, "option enabled '1'\n", ...options.map((o) => `${o}\n`)].join('');

/** A file and what is wrong with it. */
const faults: readonly (readonly [text: string, ...complaints: string[]])[] = [
  // Single values.
  ["config x 'post_get'\n\n\toption enabled 'maybe'", '3 post_get.enabled: "maybe" is not 1 or 0'],
  [
    "config x 'post_get'\noption password 'abcd'",
    '2 post_get.password: must be text of at least 5 and at most 256 characters',
  ],
  [
    "config x 'post_get'\nlist username 'a'\nlist username 'b'",
    '2 post_get.username: is a list, and must be a single option',
  ],
  ["config x 'post_get'\noption date_format 'us'", '2 post_get.date_format: "us" is not "ctime" or "iso"'],
  ["config x 'post_get'\noption usrname 'a'", '(2 post_get.usrname: unknown option, did you mean username?)'],
  [
    "config x 'post_get'\nlist allow_from '10.0.0.0/33'",
    '2 post_get.allow_from: "10.0.0.0/33" is not an IP address or network',
  ],
  ["config x 'gateway'\noption capacity '5'", '2 gateway.capacity: "5" is not a whole number from 10 to 1000000'],
  [
    "config x 'gateway'\noption sync 'never'",
    '2 gateway.sync: "never" is not "always" or a whole number from 1 to 3600',
  ],
  ["config x 'smpp'\noption port '65536'", '2 smpp.port: "65536" is not a port from 0 to 65535'],
  [
    "config x 'smpp'\noption password 'ninechars'",
    '2 smpp.password: must be at most 8 characters of printable ASCII, or a crypt hash ($1$, $5$, $6$)',
  ],
  ["config modem 'm'\noption pin '12a4'", '2 m.pin: must be 4 to 8 digits'],
  [
    "config modem 'm'\noption device 'ttyUSB0'",
    '2 m.device: "ttyUSB0" is not "auto", "sim", a device path or tcp://host:port of at most 255 characters',
  ],
  ["config modem 'm'\nlist init 'AT\r'", '2 m.init: "AT\\r" is not an AT command of at most 200 characters'],
  [
    "config group 'g'\noption name 'a'\nlist tel '1'\nlist tel 'a'\nlist tel '+1'",
    '4 g.tel: "a" is not a phone number',
    '5 g.tel: "+1" is not a phone number',
  ],
  ["config group 'g'\noption name ''", '1 g.name: must be set'],
  [
    `config x 'auto_reply'\noption msg '${'x'.repeat(4001)}'`,
    `2 auto_reply.msg: "${'x'.repeat(40)}..." is not text of at most 4000 characters`,
  ],

  // Sections.
  ['config post_get\n', '(1 cfg01fa8a.: not used: the section must be named post_get)'],
  ["config lamp 'l'\n", '(1 l.: unknown section of type lamp)'],

  // Options that belong together.
  [on('auto_reply'), '1 auto_reply.msg: must be set'],
  [
    on('auto_reply', "option msg 'a'", "option mode 'list'"),
    '1 auto_reply.number: must have at least one number in mode "list"',
  ],
  [
    on('forwarding_to_http', "option url 'h'", "option message_name 't'", "option mode 'list'"),
    '1 forwarding_to_http.number: must have at least one number in mode "list"',
  ],
  [
    on('forwarding_to_sms', "list number '1'", "option mode 'list'"),
    '1 forwarding_to_sms.senders_number: must have at least one number in mode "list"',
  ],
  [
    on(
      'forwarding_to_smtp',
      "option smtpip 'h'",
      "option senderemail 'a@b'",
      "list recipemail 'c@d'",
      "option mode 'list'",
    ),
    '1 forwarding_to_smtp.number: must have at least one number in mode "list"',
  ],
  [on('forwarding_to_sms', "list number ''"), '3 forwarding_to_sms.number: must have at least one element'],
  [on('forwarding_to_http', "option message_name 't'"), '1 forwarding_to_http.url: must be set'],
  [
    on('forwarding_to_http', "option url 'h'", "option message_name 't'", "list header 'Content-length: 1'"),
    '5 forwarding_to_http.header: Content-length is set by the gateway itself',
  ],
  [
    on('forwarding_to_http', "option url 'h'"),
    '(1 forwarding_to_http.message_name: without a name the text is not sent)',
  ],
  [
    on(
      'forwarding_to_http',
      "option url 'h'",
      "option message_name 't'",
      "option number_name 't'",
      "option format 'json'",
    ),
    '4 forwarding_to_http.message_name: "t" is the name of another field',
    '6 forwarding_to_http.format: "json" needs the method "post"',
  ],
  [
    on(
      'forwarding_to_http',
      "option url 'h'",
      "option message_name 't'",
      "option extra_value1 't'",
      "list success_codes '299-200'",
    ),
    '(1 forwarding_to_http.extra_name1: without a name the value is not sent)',
    '6 forwarding_to_http.success_codes: 299-200 is empty: its end is below its start',
  ],
  [
    on(
      'pop3',
      "option host 'h'",
      "option username 'u'",
      "option password 'p'",
      "option ssl '1'",
      "option starttls '1'",
      "option reply_on_failure '1'",
    ),
    '7 pop3.starttls: cannot be on together with ssl',
    '(8 pop3.reply_on_failure: has no effect while forwarding_to_smtp is off)',
  ],
  [
    on(
      'forwarding_to_smtp',
      "option smtpip 'h'",
      "option senderemail 'a@b'",
      "list recipemail 'c@d'",
      "option username 'u'",
      "option tls 'implicit'",
      "option reply_by_mail '1'",
    ),
    '1 forwarding_to_smtp.password: must be set, as the user name is',
    '(7 forwarding_to_smtp.tls: has no effect while secureconnection is off)',
    '(8 forwarding_to_smtp.reply_by_mail: has no effect while pop3 is off)',
  ],
  [on('smpp', "option port '0'"), '3 smpp.port: must be set where tls_port is not'],
  [
    on('smpp', "option tls_port '7777'"),
    '1 smpp.tls_cert: must be set for tls_port',
    '1 smpp.tls_key: must be set for tls_port',
    '3 smpp.tls_port: must differ from port',
  ],
  [
    "config smpp_account 'a'\noption username 'admin'\noption password 'x'",
    '2 a.username: "admin" has an account already',
  ],
  [
    "config modem 'a'\noption device '/dev/x'\nconfig modem 'b'\noption device '/dev/x'",
    '4 b.device: /dev/x is the device of a already',
  ],
  ["config modem 'a'\noption device 'tcp://h:0'", '2 a.device: 0 is not a port from 1 to 65535'],
  ["config x 'post_get'\noption modem 'gsm'", '2 post_get.modem: there is no modem section "gsm"'],
  [
    "config modem 'a'\nconfig x 'smpp'\nlist receive_modem 'b'\nlist receive_modem 'a'\nlist receive_modem 'c'",
    '3 smpp.receive_modem: there is no modem section "b"',
    '5 smpp.receive_modem: there is no modem section "c"',
  ],
  ["config group\noption name 'a'\nconfig group\noption name 'a'", '4 @group[1].name: "a" is there already'],

  // Scheduled messages.
  ['config msg\noption enable 1', '1 @msg[0].message: must be set'],
  ["config msg\noption enable 1\noption message 'a'", '1 @msg[0].phonenumber: must be set where group is not'],
  [
    "config msg\noption enable 1\noption message 'a'\noption phonenumber 1\noption group g",
    '5 @msg[0].group: cannot be set together with phonenumber',
    '5 @msg[0].group: there is no group "g"',
  ],
  [
    "config msg\noption enable 1\noption message 'a!'\noption phonenumber 1\noption is_b64 1\noption repeats week",
    '1 @msg[0].weekday: must be set for a weekly message',
    '3 @msg[0].message: is not Base64, which is_b64 says it is',
  ],
  [
    "config msg\noption enable 1\noption message 'a'\noption phonenumber 1\noption repeats year\noption month 2\noption monthday 30",
    '7 @msg[0].monthday: month 2 never has a day 30',
  ],
  [
    "config msg\noption enable 1\noption message 'a'\noption phonenumber 1\noption repeats month",
    '1 @msg[0].monthday: must be set for a monthly message',
  ],
  [
    "config msg\noption enable 1\noption message 'a'\noption phonenumber 1\noption cron '0 0 * * *'\noption date '2027-01-01 00:00'",
    '6 @msg[0].date: cannot be set together with cron',
  ],
  ['config msg\noption enable 0\noption repeats year'],
  // A group counts only where it is used.
  ['config msg\noption enable 0\noption group nobody'],
  [
    "config rule 'r'\noption enabled 1\noption action send_status\noption smstext a\noption allowed_phone all\noption group nobody",
  ],

  // Rules.
  [
    "config rule 'r'\noption enabled 1\noption action reboot\noption smstext reboot\noption authorisation no",
    '5 r.authorisation: cannot be "no" for reboot, which can change the system',
  ],
  ["config rule 'r'\noption enabled 1\noption action send_status\noption smstext status\noption authorisation no"],
  [
    "config rule 'r'\noption enabled 1\noption action firstboot\noption smstext restore",
    '3 r.action: firstboot is not carried out here: a router that forgets its settings also forgets this gateway and cannot be reached again',
  ],
  [
    "config rule 'r'\noption enabled 1\noption action dout\noption smstext a\noption outputnb DOUT1\noption timeout 1",
    '1 r.value: must be set for "dout"',
    '1 r.seconds: must be set, as the time-out is on',
  ],
  [
    "config rule 'r'\noption enabled 1\noption action uci\noption smstext a\nlist uci_option 'network.lan'",
    '5 r.uci_option: "network.lan" is not config.section.option, where * stands for any section or option of at most 200 characters',
  ],
  [
    "config rule 'r'\noption enabled 1\noption action uci\noption smstext a",
    '1 r.uci_option: must name the options that "uci" may use',
  ],
  [
    "config rule 'r'\noption enabled 1\noption action wol\noption smstext a\noption mac 00:11",
    '5 r.mac: "00:11" is not a MAC address such as 00:11:22:aa:bb:cc of at most 17 characters',
  ],
  [
    "config rule 'r'\noption action reboot\noption smstext a\noption enabled 1\nconfig rule 's'\noption action reboot\noption smstext A\noption enabled 1",
    '7 s.smstext: "A" is the text of another rule',
  ],
  [
    "config gateway 'gateway'\noption admin_password 'Geheim7'\nconfig rule 'r'\noption enabled 1\noption action reboot\noption smstext a",
    '(2 gateway.admin_password: has fewer than 8 characters: easy to guess, and hidden in received messages as the first word only)',
  ],
  [
    "config gateway 'gateway'\noption serial 'AB1234'\nconfig rule 'r'\noption enabled 1\noption action reboot\noption smstext a\noption authorisation serial",
    '(2 gateway.serial: has fewer than 8 characters: easy to guess, and hidden in received messages as the first word only)',
  ],
  [
    "config gateway 'gateway'\noption admin_password 'Geheim77'\noption serial 'x'\nconfig rule 'r'\noption enabled 1\noption action reboot\noption smstext a",
  ],
  [
    "config rule 'r'\noption enabled 1\noption action ubus\noption smstext a\noption args '[]'",
    '1 r.object: must be set for "ubus"',
    '1 r.method: must be set for "ubus"',
    '5 r.args: is not a JSON object',
  ],
  [
    "config rule 'r'\noption enabled 1\noption action command\noption smstext a\noption command up",
    '5 r.command: there is no command section with the name "up"',
  ],
  [
    'config command\noption name up\nlist argv up',
    '3 @command[0].argv: must begin with the absolute path of a program',
  ],
  [
    "config rule 'r'\noption enabled 1\noption action send_sms\noption smstext a",
    '1 r.to_number: must have at least one number for "send_sms"',
    '1 r.message: must be set for "send_sms"',
  ],
  [
    "config rule 'r'\noption enabled 1\noption action switch_modem\noption smstext a\noption allowed_phone single\noption to_other_phone 1",
    '1 r.modem: must be set for "switch_modem"',
    '1 r.to_number: must have at least one number',
    '1 r.tel: must be set, as "single" is allowed',
  ],
  [
    "config rule 'r'\noption enabled 1\noption action send_status\noption smstext a\noption allowed_phone group\noption group staff",
    '6 r.group: there is no group "staff"',
  ],
  // An error in a group is reported at the group, not at the rule that uses it.
  [
    "config group\noption name staff\nlist tel x\nconfig rule 'r'\noption enabled 1\noption action send_status\noption smstext a\noption allowed_phone group\noption group staff",
    '3 @group[0].tel: "x" is not a phone number',
  ],
];

t.test('errors name line, section and option', async (t) => {
  for (const [text, ...expected] of faults) t.strictSame(complaints(await load(t, text)), expected, text);
});

/** Values of an option that pass, and that do not. */
const forms: readonly (readonly [section: string, option: string, good: readonly string[], bad: readonly string[]])[] =
  [
    [
      'forwarding_to_http',
      'url',
      [
        ...['host', '10.0.0.1', 'host:81', 'http://host/a?b=c', 'HTTPS://host', '[::1]:80', 'https://[fe80::1]/x'],
        ...['http://user:pw@host', 'user@host', ' host\t', 'host#x', 'žinutė.lt', 'müller.example/grüße?ä=ö'],
      ],
      [
        'ftp://host',
        'file:///etc/passwd',
        'javascript:alert(1)',
        'http://',
        'http:///x',
        'a b',
        'host:99999',
        'user:pw@',
        'a\tb',
      ],
    ],
    [
      'pop3',
      'host',
      ['mail.example.com', 'a', '10.0.0.1', '::1', 'a_b.local.'],
      ['a..b', 'a b', '10.0.0', 'h:110', 'http://h', `${'a'.repeat(64)}.b`],
    ],
    [
      'forwarding_to_smtp',
      'senderemail',
      ['a@b', 'A.b+c@example.com', 'ą@b.lt'],
      ['a', '@b', 'a@', 'a b@c', 'a@b@c', 'a\nb@c'],
    ],
    ['forwarding_to_smtp', 'ca_file', ['/etc/ssl/ca.pem'], ['ca.pem', '/a\nb']],
    [
      'forwarding_to_http',
      'header',
      ['X-Api-Key: abc', 'X:1', 'Authorization: Bearer a.b-c', 'X-Name: Ąžuolas'],
      [
        'X-Api-Key',
        'X-Api-Key:',
        'X Key: 1',
        ': 1',
        'X: a\r\nY: b',
        'X: a\nY: b',
        'X: \x7f',
        'X\n: 1',
        'X: a\u0085b',
        'X :1',
      ],
    ],
    ['forwarding_to_http', 'success_codes', ['200', '200-299'], ['2xx', '600', '200-']],
    ['pop3', 'allow_from', ['a@b', '@b.lt'], ['b.lt', 'a b@c']],
    ['smpp', 'allow_from', ['10.0.0.1', '10.0.0.0/8', '::1', 'fe80::/10'], ['10.0.0', 'host', '::/129', '1.1.1.1/']],
    ['smpp', 'port', ['0', '7777', '65535'], ['-1', '1e3']],
    [
      'msg',
      'cron',
      ['* * * * *', '*/5 0-23/2 1,15 12 7', '59 23 31 12 0'],
      ['* * * *', '60 * * * *', '5-1 * * * *', '*/0 * * * *', '@daily', '* * * * mon'],
    ],
    [
      'msg',
      'date',
      ['2028-02-29 00:00', '2027-12-31 23:59'],
      ['2027-02-29 00:00', '2027-13-01 00:00', '2027-01-01 24:00', '2027-01-01'],
    ],
  ];

t.test('what the router lacks', async (t) => {
  const lacks = (feature: string) => (feature === 'rpcd' || feature === 'wireless' ? `no ${feature}` : undefined);
  const cases: readonly (readonly [string, ...string[]])[] = [
    ['action mobile\noption value on'],
    ['action mobile\noption value on\noption write_mobile 1', '2 r.action: mobile cannot be carried out here: no rpcd'],
    ['action wifi\noption value on', '2 r.action: wifi cannot be carried out here: no wireless'],
    ['action uci\nlist uci_option network.lan.*', '2 r.action: uci cannot be carried out here: no rpcd'],
    ['action vpnstatus'],
    [
      'action more',
      '2 r.action: more is not carried out here: answers are not sent in portions; max_parts allows longer ones',
    ],
  ];
  for (const [options, ...expected] of cases) {
    const text = `config rule 'r'\noption ${options}\noption enabled 1\noption smstext a`;
    const { config, errors } = await loadConfig(testFolder(t, { sms_gateway: text }), lacks);
    t.strictSame(complaints({ errors }), expected, options);
    t.equal(config.rules.length, 1, 'it stays in force, so that its messages are not forwarded');
  }
});

t.test('forms of values', async (t) => {
  const accepts = async (section: string, option: string, value: string) =>
    (await load(t, `config ${section} ${section}\n\toption ${option} '${value}'\n`)).errors.length === 0;
  for (const [section, option, good, bad] of forms) {
    for (const value of good) t.equal(await accepts(section, option, value), true, `${option} ${value}`);
    for (const value of bad) t.equal(await accepts(section, option, value), false, `${option} ${value}`);
  }
});

t.test('a text must be UTF-8', async (t) => {
  const loaded = await load(t, Buffer.from("config x 'auto_reply'\noption msg '\xff'", 'latin1'));
  t.same(complaints(loaded), ['2 auto_reply.msg: "\\udcff" is not text of at most 4000 characters']);
});

t.test('secrets never show', async (t) => {
  const loaded = await load(
    t,
    on('smpp', "option password 'hunter2hunter2'") +
      on('post_get', "option password 'hunt'") +
      on('forwarding_to_http', "option url 'http://u:hunter@h h'\nlist header 'X Key: hunter'") +
      "config modem\noption pin 'hunter2'",
  );
  t.equal(loaded.errors.length, 5);
  t.notMatch(JSON.stringify(loaded.errors), /hunt/);
});

t.test('any values give a config whose numbers are in range', async (t) => {
  const schemas: readonly SectionSchema[] = [...Object.values(singleSections), ...Object.values(repeatedSections)];
  const value = fc.oneof(
    fc.constantFrom(
      '0',
      '1',
      '-1',
      '99999999999999999999',
      'list',
      'everyone',
      '+37060000001',
      '28-31',
      'a@b',
      '/',
      'sim',
    ),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }).map((text) => text.replaceAll('\0', 'x')),
  );
  const section = fc.constantFrom(...schemas).chain((schema) => {
    const option = fc.tuple(
      fc.constantFrom(...Object.keys(schema.options)),
      fc.oneof(value, fc.array(value, { maxLength: 3 })),
    );
    return fc.tuple(fc.constant(schema.name), fc.boolean(), fc.array(option, { maxLength: 8 }));
  });
  const directory = testFolder(t);
  let faulty = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(section, { maxLength: 6 }), async (sections) => {
      const uci = new UciPackage('sms_gateway');
      for (const [name, named, options] of sections) {
        const added = uci.add(name, named && uci.section(name) === undefined ? name : undefined);
        for (const [option, content] of options) added.set(option, content);
      }
      writeFileSync(join(directory, 'sms_gateway'), fileForm(uci));
      const { config, errors } = await loadConfig(directory);
      if (errors.length > 0) faulty++;
      const { capacity } = config.gateway;
      if (capacity < 10 || config.modems.some(({ send_interval: ms }) => ms < 0 || ms > 3_600_000))
        throw new Error('range');
      if (config.groups.some(({ name }) => name === '')) throw new Error('a group without a name passed');
    }),
    { numRuns: 300 },
  );
  t.ok(faulty > 0, 'many of them are faulty');
});

t.test('a file that others can read or change', async (t) => {
  const directory = testFolder(t);
  const file = join(directory, 'sms_gateway');
  const secretive = "config smpp 'smpp'\n\toption password 'hidden1'\n";
  const harmless = "config gateway 'gateway'\n\toption log_level 'debug'\n";
  const account = "config smpp_account\n\toption username 'a'\n\toption password 'hidden2'\n";
  for (const [text, mode, expected] of [
    [secretive, 0o644, /all users can read the passwords in .*sms_gateway: mode 0644, wanted 0600/],
    [account, 0o604, /all users can read the passwords/],
    [secretive, 0o640, undefined],
    [secretive, 0o600, undefined],
    [harmless, 0o644, undefined],
    [harmless, 0o666, /all users can change .*sms_gateway: mode 0666/],
  ] as const) {
    writeFileSync(file, text);
    chmodSync(file, mode);
    const log: string[] = [];
    const live = await LiveConfig.load(
      directory,
      createLogger({ level: 'debug', write: (line) => void log.push(line) }),
    );
    const warnings = (await live.warnings()).join();
    if (expected === undefined) t.equal(warnings, '', `${mode.toString(8)}`);
    else t.match(warnings, expected, `${mode.toString(8)}`);
    t.equal(log.length, expected === undefined ? 0 : 1, 'the log has it once');
    t.notMatch(log.join(), /hidden/);
    t.strictSame(live.faults(), [], 'it is no fault of the config');
  }
});

t.test('a private key that others can read is complained about while they can', async (t) => {
  const directory = testFolder(t, { 'key.pem': 'k', 'pair.pem': 'p', 'client.pem': 'c' });
  const path = (name: string) => join(directory, name);
  for (const name of ['key.pem', 'pair.pem', 'client.pem']) chmodSync(path(name), 0o644);
  const named = (text: string) => writeFileSync(path('sms_gateway'), text, { mode: 0o600 });
  const log: string[] = [];
  const sink = { level: 'debug', write: (line: string) => void log.push(line) } as const;
  for (const [text, name] of [
    [`config gateway 'gateway'\n\toption http_cert '${path('pair.pem')}'\n`, 'pair.pem'],
    [
      `config gateway 'gateway'\n\toption http_cert '${path('pair.pem')}'\n\toption http_key '${path('key.pem')}'\n`,
      'key.pem',
    ],
    [
      `config mqtt 'mqtt'\n\toption tls_cert '${path('pair.pem')}'\n\toption tls_key '${path('client.pem')}'\n`,
      'client.pem',
    ],
  ] as const) {
    named(text);
    log.length = 0;
    const live = await LiveConfig.load(directory, createLogger(sink));
    const sentence = `all users can read the private key in ${path(name)}: mode 0644`;
    t.match(await live.warnings(), [sentence], name);
    t.equal((await live.warnings()).length, 1);
    t.equal(log.filter((line) => line.includes(sentence)).length, 1, 'the log has it once');
    chmodSync(path(name), 0o640);
    t.strictSame(await live.warnings(), [], 'as the file is now');
    chmodSync(path(name), 0o644);
  }
});
