import t from 'tap';
import { WebAccounts } from '../../src/access/web-accounts.ts';
import { logIn, newPage, openBrowser, withoutBrowser } from '../support/browser.ts';
import { Daemon } from '../support/daemon.ts';
import { testFolder } from '../support/folder.ts';

/*
 * The client API as views know it from LuCI: an expression, run in the page, and what LuCI gives for it. `f` builds a form
 * over `post_get`, `group` and the rest of the file below.
 */
const PASSWORD = 'a good password';
const config = `
config post_get 'post_get'
	option enabled '0'
	option username 'user1'

config group
	option name 'one'
	list tel '1'
	list tel '2'

config group
	option name 'two'
	option tel '+370 600 1'
`;

const rows: readonly (readonly [what: string, expression: string, result: unknown])[] = [
  ['E: a text in an array is text', `E('p', {}, ['<b>x</b>']).innerHTML`, '&lt;b&gt;x&lt;/b&gt;'],
  ['E: a bare string is HTML', `E('p', {}, '<b>x</b>').innerHTML`, '<b>x</b>'],
  ['E: null in an array shows', `E('p', {}, ['a', null]).textContent`, 'anull'],
  ['E: attributes may be left out', `E('p', ['x']).outerHTML`, '<p>x</p>'],
  [
    'E: null attributes are left out, false is set',
    `E('p', { a: null, b: false, c: { d: 1 } }).outerHTML`,
    '<p b="false" c="{&quot;d&quot;:1}"></p>',
  ],
  ['E: HTML makes its first element', `E('<i class="x">y</i>').outerHTML`, '<i class="x">y</i>'],
  [
    'dom.content replaces',
    `(() => { const n = E('p', {}, ['a']); L.dom.content(n, [E('b'), 'c']); return n.innerHTML; })()`,
    '<b></b>c',
  ],
  [
    'format',
    `'%s %d %.2f %% %h %t %05d %5s|'.format('a', 1.9, 1.005, '<', 3725, 42, 'x')`,
    'a 1 1.00 % &#60; 1h 2m 5s 00042     x|',
  ],
  ['toArray splits at blanks', `L.toArray('+370 600 1')`, ['+370', '600', '1']],
  ['toArray of nothing', `[L.toArray(null), L.toArray(''), L.toArray(['a b'])]`, [[], [], ['a b']]],
  ['url', `L.url('admin/services', 'sms_gateway')`, '/admin/services/sms_gateway'],
  ['naturalCompare', `['a10', 'a2'].sort(L.naturalCompare)`, ['a2', 'a10']],
  ['resolveDefault', `L.resolveDefault(Promise.reject(new Error('x')), 5)`, 5],
  [
    'extend and super',
    `(() => { const A = L.Class.extend({ x(n) { return n + 1; } }); const B = A.extend({ x(n) { return this.super('x', [n]) * 10; } }); const C = B.extend({ x() { return this.super('x', arguments) + 5; } }); return new C().x(1); })()`,
    25,
  ],
  [
    '__init__ takes the arguments',
    `(() => { const A = L.Class.extend({ __init__(a, b) { this.sum = a + b; } }); return new A(1, 2).sum; })()`,
    3,
  ],
  ['rpc: the result', `rpc.declare({ object: 'sms_gateway', method: 'version' })().then(Object.keys)`, ['version']],
  [
    'rpc: one field of it',
    `rpc.declare({ object: 'sms_gateway.message', method: 'list', expect: { messages: [] } })()`,
    [],
  ],
  [
    'rpc: a status is a number',
    `rpc.declare({ object: 'sms_gateway.message', method: 'status', params: ['id'] })(99).then((r) => r.code)`,
    'message_not_found',
  ],
  [
    'rpc: with expect an error looks like nothing',
    `rpc.declare({ object: 'sms_gateway.message', method: 'status', params: ['id'], expect: { text: 'none' } })(99)`,
    'none',
  ],
  [
    'rpc: reject',
    `rpc.declare({ object: 'sms_gateway.message', method: 'status', params: ['id'], reject: true })(99).catch((e) => e.name + ': ' + e.message)`,
    'RPCError: RPC call to sms_gateway.message/status failed with ubus code 4: Resource not found',
  ],
  [
    'rpc: undefined is not sent',
    `rpc.declare({ object: 'sms_gateway.message', method: 'list', params: ['box', 'state'] })('inbox', undefined).then(Object.keys)`,
    ['messages'],
  ],
  [
    'rpc: null is',
    `rpc.declare({ object: 'sms_gateway.message', method: 'list', params: ['box'] })(null).then((r) => r.code)`,
    'invalid_argument',
  ],
  [
    'rpc: filter',
    `rpc.declare({ object: 'sms_gateway', method: 'version', filter: (data, args, more) => [typeof data.version, more] })().then((r) => r[0])`,
    'string',
  ],
  [
    'rpc: no right',
    `rpc.declare({ object: 'sms_gateway.cgi', method: 'request' })().catch((e) => /-32002/.test(e.message))`,
    true,
  ],
  [
    'uci: sections',
    `uci.load('sms_gateway').then(() => uci.sections('sms_gateway', 'group').map((s) => s.name))`,
    ['one', 'two'],
  ],
  [
    'uci: nothing is null',
    `[uci.get('sms_gateway', 'none'), uci.get('sms_gateway', 'post_get', 'none')]`,
    [null, null],
  ],
  [
    'uci: set',
    `(uci.set('sms_gateway', 'post_get', 'username', 'x'), uci.get('sms_gateway', 'post_get', 'username'))`,
    'x',
  ],
  [
    'uci: an empty value unsets',
    `(uci.set('sms_gateway', 'post_get', 'username', ''), uci.get('sms_gateway', 'post_get', 'username'))`,
    null,
  ],
  [
    'uci: set does nothing in a section that is not there',
    `(uci.set('sms_gateway', 'none', 'a', 'b'), uci.get('sms_gateway', 'none'))`,
    null,
  ],
  ['uci: a missing file rejects', `uci.load('nothing').catch((e) => e.name)`, 'RPCError'],
  [
    'uci: add and remove leave nothing',
    `(() => { const s = uci.add('sms_gateway', 'group'); uci.set('sms_gateway', s, 'name', 'z'); const n = uci.sections('sms_gateway', 'group').length; uci.remove('sms_gateway', s); return [n, uci.sections('sms_gateway', 'group').length]; })()`,
    [3, 2],
  ],
  ['form: a value that did not change is not written', `f((s, o) => { o(form.Value, 'username'); })`, {}],
  [
    'form: a default is written',
    `f((s, o) => { o(form.Value, 'date_format').default = 'ctime'; })`,
    { set: { date_format: 'ctime' } },
  ],
  [
    'form: an emptied value is removed',
    `f((s, o) => { o(form.Value, 'username'); }, { username: '' })`,
    { delete: ['username'] },
  ],
  [
    'form: or refused when it is needed',
    `f((s, o) => { o(form.Value, 'username').rmempty = false; }, { username: '' })`,
    'Option "username" contains an invalid input value. non-empty value',
  ],
  [
    'form: a datatype',
    `f((s, o) => { o(form.Value, 'username').datatype = 'and(uinteger,range(1,5))'; }, { username: '7' })`,
    /value between 1 and 5/,
  ],
  [
    'form: an unknown datatype checks nothing',
    `f((s, o) => { const v = o(form.Value, 'username'); v.datatype = 'email'; v.validate = () => 'no'; }, { username: 'x' })`,
    { set: { username: 'x' } },
  ],
  [
    'form: validate',
    `f((s, o) => { o(form.Value, 'username').validate = (sid, v) => v === 'x' ? 'not x' : true; }, { username: 'x' })`,
    /not x/,
  ],
  [
    'form: a flag that is as its default is removed',
    `f((s, o) => { o(form.Flag, 'enabled'); })`,
    { delete: ['enabled'] },
  ],
  [
    'form: unless told to keep it',
    `f((s, o) => { o(form.Flag, 'enabled').rmempty = false; }, { enabled: true })`,
    { set: { enabled: '1' } },
  ],
  [
    'form: a list without an empty choice writes what it shows',
    `f((s, o) => { const v = o(form.ListValue, 'date_format'); v.value('ctime'); v.value('iso'); })`,
    { set: { date_format: 'ctime' } },
  ],
  [
    'form: what depends on another goes with it',
    `f((s, o) => { o(form.Flag, 'enabled').rmempty = false; o(form.Value, 'username').depends('enabled', '1'); })`,
    { set: { enabled: '0' }, delete: ['username'] },
  ],
  [
    'form: unless it is to be retained',
    `f((s, o) => { o(form.Flag, 'enabled').rmempty = false; const v = o(form.Value, 'username'); v.depends('enabled', '1'); v.retain = true; })`,
    { set: { enabled: '0' } },
  ],
  [
    'form: shown when one of them holds',
    `f((s, o) => { o(form.Flag, 'enabled').rmempty = false; const v = o(form.Value, 'username'); v.depends('enabled', '1'); v.depends({ enabled: /^0$/ }); })`,
    { set: { enabled: '0' } },
  ],
  ['form: DummyValue is never written', `f((s, o) => { o(form.DummyValue, 'username').cfgvalue = () => 'z'; })`, {}],
  ['form: DynamicList', `f((s, o) => { o(form.DynamicList, 'allow_from').load = () => ['a', 'b']; })`, {}],
  [
    'form: load, write',
    `f((s, o) => { const v = o(form.Value, 'username'); v.load = () => 'dXNlcjE='; v.write = (sid, x) => uci.set('sms_gateway', sid, 'username', 'b:' + x); }, { username: 'q' })`,
    { set: { username: 'b:q' } },
  ],
];

/** Runs in the page: the form, and what its save posts. */
const prelude = `
window.f = async (build, values = {}) => {
  uci.unload('sms_gateway');
  document.querySelector('#view').replaceChildren();
  const m = new form.Map('sms_gateway');
  const s = m.section(form.NamedSection, 'post_get', 'post_get');
  build(s, (c, name) => s.option(c, name, name));
  document.querySelector('#view').append(await m.render());
  for (const [name, value] of Object.entries(values)) {
    const input = document.getElementById('widget.cbid.sms_gateway.post_get.' + name);
    if (typeof value === 'boolean') input.checked = value; else input.value = value;
    input.dispatchEvent(new Event('input', { bubbles: true }));
    input.dispatchEvent(new Event('change', { bubbles: true }));
  }
  const posted = {};
  const send = window.fetch;
  window.fetch = (url, options) => {
    for (const { params: [, object, method, args] } of [JSON.parse(options.body)].flat()) {
      if (object === 'uci' && method === 'set') posted.set = args.values;
      if (object === 'uci' && method === 'delete') posted.delete = args.options;
    }
    return send(url, options);
  };
  try {
    await m.save(null, true);
    return posted;
  } catch (error) {
    return error.message;
  } finally {
    window.fetch = send;
    await rpc.declare({ object: 'uci', method: 'revert', params: ['config'] })('sms_gateway');
  }
};
Promise.all(['form', 'uci', 'rpc', 'ui'].map((name) => L.require(name).then((module) => { window[name] = module; })));
`;

t.test('what views build on', { skip: withoutBrowser() ?? false, timeout: 300_000 }, async (t) => {
  const daemon = new Daemon({ folder: testFolder(t), config, args: ['--ubus', 'off'] });
  await new WebAccounts(`${daemon.folder}/config`, async () => undefined).setPassword('admin', PASSWORD);
  await daemon.start();
  t.teardown(() => daemon.stop());
  const { page } = await newPage(await openBrowser(t));
  await page.goto(daemon.http);
  await logIn(page, 'admin', PASSWORD);
  await page.getByText('Modems').first().waitFor();
  await page.evaluate(prelude);
  for (const [what, expression, result] of rows) {
    const given = await page.evaluate(expression);
    if (result instanceof RegExp) t.match(given, result, what);
    else t.strictSame(given, result, what);
  }
});
