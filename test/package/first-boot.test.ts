import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { newFolder } from '../support/folder.ts';
import { missingPrograms } from '../support/programs.ts';
import { RouterRoot } from './router-root.ts';

const root = process.getuid?.() === 0 ? false : 'a root folder to chroot into needs root';
const skip = root || missingPrograms(['busybox', 'chroot'], 'busybox');

/** A router with these files in /etc/config after its first boot, and again after `further` boots. */
function booted(t: Test, files: Readonly<Record<string, string>>): RouterRoot {
  const router = new RouterRoot(newFolder(t));
  router.write('etc/config/sms_gateway', readFileSync('files/etc/config/sms_gateway', 'utf8'));
  for (const [name, text] of Object.entries(files)) router.write(`etc/config/${name}`, text);
  boot(router);
  return router;
}

function boot(router: RouterRoot): void {
  router.write('etc/uci-defaults/99-sms_gateway', readFileSync('uci-defaults/99-sms_gateway', 'utf8'));
  router.sh('cd /etc/uci-defaults; for f in *; do (. ./$f) && rm -f $f; done');
}

const show = (router: RouterRoot) => router.sh('uci show sms_gateway').trimEnd().split('\n');
const config = (router: RouterRoot) => router.read('etc/config/sms_gateway');

/** Everything is the same after another boot, also when the user has changed what was taken over. */
function isIdempotent(t: Test, router: RouterRoot): void {
  const before = config(router);
  boot(router);
  t.equal(config(router), before, 'a second run changes nothing');
  router.sh(
    "uci set sms_gateway.auto_reply.msg='another'; uci delete sms_gateway.@group[0]; uci -q delete sms_gateway.@rule[0]; uci commit",
  );
  const edited = config(router);
  boot(router);
  t.equal(config(router), edited, 'and what the user changed stays');
}

t.test('first boot of an original router with legacy files', { skip }, async (t) => {
  const router = booted(t, {
    sms_utils: `
config status 'auto_reply'
	option enabled '1'
	option every_sms '1'
	option delete_msg '1'
	option mode 'list'
	option msg 'it'\\''s "quoted" \`id\` $HOME
and a second line'
	list number '0037060000001'
	list number '+37060000002'

config smsreboot 'smsreboot'
	option enabled '0'

config group
	option name 'on call; rm -rf /'
	list tel '0037060000001'
	list tel '0037060000002'

config rule
	option action 'reboot'
	option enabled '1'
	option smstext 'reboot'
	option authorisation 'password'
	option allowed_phone 'group'
	option group 'on call; rm -rf /'
	option status_sms '1'
	option message 'Router name - %rn; '
	list to_number '+37060000003'

config rule
	option action 'wifi'
	option value 'on'
	option enabled '0'
	option smstext 'wifion'
`,
    smpp_config:
      "\nconfig smpp 'smpp'\n\toption enabled '1'\n\toption username 'esme'\n\toption password 'p w'\n\toption port '2775'\n",
  });
  const lines = show(router);
  for (const line of [
    "sms_gateway.auto_reply.enabled='1'",
    "sms_gateway.auto_reply.delete_msg='1'",
    "sms_gateway.auto_reply.mode='list'",
    "sms_gateway.auto_reply.number='0037060000001' '+37060000002'",
    "sms_gateway.smpp.username='esme'",
    "sms_gateway.smpp.password='p w'",
    "sms_gateway.smpp.port='2775'",
  ]) {
    t.ok(lines.includes(line), line);
  }
  t.match(
    config(router),
    `option msg 'it'\\''s "quoted" \`id\` $HOME\nand a second line'`,
    'the shell takes nothing for a command',
  );
  const get = (path: string) => router.sh(`uci get sms_gateway.${path}`).trimEnd();
  t.equal(get('@group[0].name'), 'on call; rm -rf /');
  t.equal(get('@group[0].tel'), '0037060000001 0037060000002');
  t.equal(get('@rule[0].action'), 'reboot');
  t.equal(get('@rule[0].group'), 'on call; rm -rf /');
  t.equal(get('@rule[0].to_number'), '+37060000003');
  t.equal(get('@rule[1].value'), 'on');
  t.equal(router.run('uci get sms_gateway.@rule[2]').status, 1);
  t.equal(router.read('etc/config/sms_utils').includes('smsreboot'), true, 'the files themselves stay');
  isIdempotent(t, router);
});

t.test('first boot with the files of RutOS 7', { skip }, async (t) => {
  const router = booted(t, {
    sms_gateway: `
config fwd 'to_http'
	option enabled '1'
	option url 'http://192.168.1.1/sms'
	option method 'post'
	option mode 'list_number'
	list number '+37060000001'

config fwd_to_sms 'fwd_to_sms'
	option enabled '1'
	option sender_num '1'
	list fwd_number '+37060000002'
	list number '+37060000003'

config fwd 'to_smtp'
	option enabled '1'
	option subject 'SMS'
	option email_name 'mail'
	list recipemail 'a@example.org'

config reply 'reply'
	option enabled '1'
	option delete_sms '1'
	option mode 'everyone'
	option msg 'gone'
`,
    user_groups: `
config phone
	option name 'admins'
	list tel '+37060000004'

config email
	option name 'mail'
	option smtp_ip 'smtp.example.org'
	option smtp_port '465'
	option secure_conn '1'
	option username 'u'
	option password 'p'
	option senderemail 'r@example.org'
`,
    post_get:
      "\nconfig post_get 'mobile'\n\toption enabled '1'\n\toption username 'u'\n\toption password '$1$salt$hash'\n",
    email_to_sms: "\nconfig pop3 'pop3'\n\toption enabled '1'\n\toption host 'pop.example.org'\n\toption limit '2'\n",
    sms_utils:
      "\nconfig rule\n\toption enabled '1'\n\toption action 'io_set'\n\toption io 'dout1'\n\toption smstext 'out'\n\toption authorization 'serial'\n",
  });
  const lines = show(router);
  for (const line of [
    "sms_gateway.forwarding_to_http.url='http://192.168.1.1/sms'",
    "sms_gateway.forwarding_to_http.mode='list'",
    "sms_gateway.forwarding_to_http.number='+37060000001'",
    "sms_gateway.forwarding_to_sms.number='+37060000002'",
    "sms_gateway.forwarding_to_sms.senders_number='+37060000003'",
    "sms_gateway.forwarding_to_smtp.smtpip='smtp.example.org'",
    "sms_gateway.forwarding_to_smtp.smtpport='465'",
    "sms_gateway.forwarding_to_smtp.secureconnection='1'",
    "sms_gateway.forwarding_to_smtp.recipemail='a@example.org'",
    "sms_gateway.auto_reply.delete_msg='1'",
    "sms_gateway.auto_reply.msg='gone'",
    "sms_gateway.post_get.password='$1$salt$hash'",
    "sms_gateway.pop3.host='pop.example.org'",
    "sms_gateway.pop3.limit='296'",
    'sms_gateway.modem0=modem',
    "sms_gateway.modem0.device='auto'",
  ]) {
    t.ok(lines.includes(line), line);
  }
  t.notMatch(
    lines.join('\n'),
    /=fwd|=reply|delete_sms|fwd_number/,
    'the sections of RutOS 7 became those of the original',
  );
  t.equal(router.sh('uci get sms_gateway.@rule[0].action').trim(), 'dout');
  t.equal(router.sh('uci get sms_gateway.@rule[0].outputnb').trim(), 'dout1');
  t.equal(router.sh('uci get sms_gateway.@rule[0].authorisation').trim(), 'serial');
  t.equal(router.sh('uci get sms_gateway.@group[0].name').trim(), 'admins');
  isIdempotent(t, router);
});

t.test('what is set is never overwritten', { skip }, async (t) => {
  const own = `
config post_get 'post_get'
	option enabled '0'
	option username 'me'
	option password 'user_pass'

config smpp 'smpp'
	option enabled '1'
	option username 'mine'

config modem 'gsm0'
	option device '/dev/ttyUSB2'
`;
  const router = booted(t, { sms_gateway: own, smpp_config: "\nconfig smpp 'smpp'\n\toption username 'other'\n" });
  const lines = show(router);
  t.ok(lines.includes("sms_gateway.post_get.password='user_pass'"), 'also the factory password that somebody set');
  t.ok(lines.includes("sms_gateway.smpp.username='mine'"));
  t.notOk(
    lines.some((line) => line.startsWith('sms_gateway.modem0')),
    'there is a modem',
  );
  const on = booted(t, { sms_gateway: "\nconfig post_get 'post_get'\n\toption enabled '1'\n" });
  t.equal(on.run('uci get sms_gateway.post_get.password').status, 1, 'a Post/Get that is in use keeps working');
});

t.test('files that are copied later', { skip }, async (t) => {
  const later = (router: RouterRoot) => {
    router.write('tmp/99-sms_gateway', readFileSync('uci-defaults/99-sms_gateway', 'utf8'));
    // As docs/from-rut240.md says.
    const [, line = ''] = /ssh root@router '(sed .*)'/.exec(readFileSync('docs/from-rut240.md', 'utf8')) ?? [];
    return line === '' ? t.fail('the page has the line') : router.sh(line);
  };
  const rule = (text: string) => `config rule\n\toption smstext '${text}'\n\toption action 'send_status'\n\n`;
  const texts = (router: RouterRoot) => config(router).match(/(?<=option smstext ').*(?=')/g);
  const router = booted(t, {});
  router.write('etc/config/sms_utils', rule('one'));
  later(router);
  t.same(texts(router), ['one'], 'taken over, though the package was there first');
  router.sh('uci set sms_gateway.@rule[0].enabled=1; uci commit');
  router.write('etc/config/sms_utils', rule('one') + rule('two'));
  later(router);
  t.same(texts(router), ['one', 'two'], 'what is new comes');
  t.equal(router.sh('uci get sms_gateway.@rule[0].enabled').trim(), '1', 'what is there stays');
  t.equal(router.read('etc/sms_gateway/imported'), 'sms_utils\n');
});

t.test('files that cannot be read', { skip }, async (t) => {
  const router = booted(t, { sms_utils: "config rule\n\toption smstext 'open\n", smpp_config: '' });
  t.match(router.read('tmp/logger.log'), /sms_utils cannot be read/);
  t.notMatch(config(router), /config rule/);
  router.write('etc/config/sms_utils', "config rule\n\toption smstext 'open'\n\toption action 'reboot'\n");
  boot(router);
  t.equal(router.sh('uci get sms_gateway.@rule[0].smstext').trim(), 'open', 'mended, it is taken over');

  const broken = new RouterRoot(newFolder(t));
  broken.write('etc/config/sms_gateway', 'option without a section\n');
  broken.write('etc/uci-defaults/99-sms_gateway', readFileSync('uci-defaults/99-sms_gateway', 'utf8'));
  t.equal(broken.run('(. /etc/uci-defaults/99-sms_gateway)').status, 1, 'it is tried again at the next boot');
  t.equal(config(broken), 'option without a section\n');
  const none = new RouterRoot(newFolder(t));
  boot(none);
  t.match(config(none), /^config gateway 'gateway'$/m, 'no file at all');
});
