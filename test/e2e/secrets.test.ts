import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import type { JsonObject } from '../../src/base/json.ts';
import { Daemon } from '../support/daemon.ts';
import { testFolder } from '../support/folder.ts';
import { freePort } from '../support/free-port.ts';
import { until } from '../support/outbox-rig.ts';

/** A secret for every option that has one, none of them a part of anything else. */
const secrets = Array.from({ length: 12 }, (_, n) => `zq${n}Geheim${n * 7919}x`);
const [post, pop3, smtp, smpp, account, admin, http, urlPassword, header] = secrets;

const config = `
config gateway 'gateway'
	option log_level 'debug'
	option admin_password '${admin}'

config post_get 'post_get'
	option enabled '1'
	option username 'user1'
	option password '${post}'

config pop3 'pop3'
	option enabled '1'
	option host '127.0.0.1'
	option port '1'
	option username 'box'
	option password '${pop3}'

config forwarding_to_smtp 'forwarding_to_smtp'
	option enabled '1'
	option smtpip '127.0.0.1'
	option smtpport '1'
	option senderemail 'a@example.com'
	list recipemail 'b@example.com'
	option username 'box'
	option password '${smtp}'

config smpp 'smpp'
	option enabled '1'
	option port 'PORT'
	option username 'esme'
	option password '${smpp}'

config smpp_account 'meters'
	option username 'meters'
	option password '${account}'

config forwarding_to_http 'forwarding_to_http'
	option enabled '1'
	option url 'http://user:${urlPassword}@127.0.0.1:1/x'
	list header 'Authorization: Bearer ${header}'
	option password '${http}'

config modem 'gsm0'
	option device 'sim'
	option pin '7351'
`;

t.test('secrets show nowhere', async (t) => {
  const folder = testFolder(t);
  const daemon = new Daemon({ folder, config: config.replace('PORT', `${await freePort()}`) });
  const hash = execFileSync('openssl', ['passwd', '-5', 'reads only'], { encoding: 'utf8' }).trim();
  writeFileSync(
    `${folder}/config/rpcd`,
    `config login\n\toption username 'reader'\n\toption password '${hash}'\n\tlist read '*'\n`,
  );
  await daemon.start();
  t.teardown(() => daemon.stop());
  for (const name of ['pop3', 'forwarding_to_smtp', 'forwarding_to_http']) {
    await daemon.call('sms_gateway.module', 'test', { module: name }).catch(() => undefined);
  }
  await until(() => /mailbox .* cannot be read/.test(daemon.log), 'functions have failed and said so');

  const shown = new Map<string, string>();
  for (const [object, method, args = {}] of [
    ['sms_gateway', 'status'],
    ['sms_gateway', 'describe'],
    ['sms_gateway', 'health'],
    ['sms_gateway', 'metrics'],
    ['sms_gateway.module', 'list'],
    ['sms_gateway.module', 'status', { module: 'pop3' }],
    ['sms_gateway.module', 'status', { module: 'smpp' }],
    ['sms_gateway.module', 'status', { module: 'forwarding_to_http' }],
    ['sms_gateway.modem', 'list'],
    ['sms_gateway.modem', 'status', { modem: 'gsm0' }],
  ] as const satisfies readonly (readonly [string, string, JsonObject?])[]) {
    shown.set(`${object} ${method} ${JSON.stringify(args)}`, JSON.stringify(await daemon.call(object, method, args)));
  }
  for (const file of ['cmdline', 'environ', 'comm'])
    shown.set(file, readFileSync(`/proc/${daemon.pid}/${file}`, 'latin1'));
  shown.set('log', daemon.log + daemon.complaints);

  const ubus = async (session: string, object: string, method: string, args: JsonObject) => {
    const call = { jsonrpc: '2.0', id: 1, method: 'call', params: [session, object, method, args] };
    const answer = await fetch(`${daemon.http}/ubus`, { method: 'POST', body: JSON.stringify(call) });
    return ((await answer.json()) as { result: [number, JsonObject] }).result;
  };
  const [, login] = await ubus('0'.repeat(32), 'session', 'login', { username: 'reader', password: 'reads only' });
  const session = String(login['ubus_rpc_session']);
  const [status, values] = await ubus(session, 'uci', 'get', { config: 'sms_gateway' });
  t.equal(status, 0);
  t.match(values, { values: { post_get: { username: 'user1' }, pop3: { host: '127.0.0.1' } } }, 'it may read the rest');
  shown.set('uci get of an account that only reads', JSON.stringify(values));
  shown.set('the rest of the log', daemon.log);

  for (const [where, text] of shown) {
    t.ok(text.length > 0, `${where} is there`);
    const found = secrets.filter((secret) => text.includes(secret));
    t.strictSame(found, [], where);
    t.notMatch(text, /reads only|"7351"|'7351'/, where);
  }
});

t.test('a crash leaves no memory on the disk', async (t) => {
  t.match(readFileSync('init.d/sms_gateway', 'utf8'), /procd_set_param limits core="0"/);
  t.match(readFileSync('packaging/debian/sms-gateway.service', 'utf8'), /^LimitCORE=0$/m);
});
