import { readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { NOBODY, PASSWORD, SiteRig } from './site-rig.ts';

const status = (answer: unknown): unknown => (Array.isArray(answer) ? answer[0] : answer);

t.test('speaks as uhttpd does', async (t) => {
  const rig = await SiteRig.start(t);
  await rig.addAdmin();
  const sid = await rig.login();
  t.match(sid, /^[0-9a-f]{32}$/);
  const call = (id: unknown, ...params: unknown[]) => ({ jsonrpc: '2.0', id, method: 'call', params });
  const rows: readonly (readonly [unknown, unknown])[] = [
    [
      call(1, sid, 'sms_gateway.message', 'list', { text: 'x' }),
      { jsonrpc: '2.0', id: 1, result: [0, { args: { text: 'x' } }] },
    ],
    [call('a', sid, 'nothing', 'list', {}), { id: 'a', error: { code: -32000, message: 'Object not found' } }],
    [call(1, sid, 'sms_gateway.message', 'nothing', {}), { error: { code: -32002, message: 'Access denied' } }],
    [call(1, NOBODY, 'sms_gateway.message', 'list', {}), { error: { code: -32002 } }],
    [call(1, 'f'.repeat(32), 'sms_gateway.message', 'list', {}), { error: { code: -32002 } }],
    [call(1, sid, 'sms_gateway.cgi', 'request', {}), { error: { code: -32002 } }],
    [call(1, sid, 'sms_gateway.message', 'list', []), { error: { code: -32602 } }],
    [call(1, sid), { error: { code: -32602 } }],
    [{ jsonrpc: '2.0', id: 1, method: 'steal' }, { error: { code: -32601 } }],
    [{ id: 1, method: 'call' }, { error: { code: -32600 } }],
    [[], { error: { code: -32600 } }],
    [null, { error: { code: -32600 } }],
  ];
  for (const [message, answer] of rows) t.match(await rig.post(message), answer as object, JSON.stringify(message));
  const wrong = await rig.call(sid, 'sms_gateway.message', 'list', { text: 5 });
  t.match(wrong, [2, { code: 'invalid_argument', message: /text/ }], 'an error says why in its data');
  const batch = (await rig.post([
    call(1, sid, 'sms_gateway.message', 'list', {}),
    call(2, sid, 'uci', 'configs', {}),
  ])) as unknown[];
  t.match(batch, [{ id: 1 }, { id: 2, result: [0, { configs: ['sms_gateway'] }] }], 'a batch is answered in its order');
  t.equal(
    (await rig.send('POST', '/ubus', '{')).body,
    '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}',
  );
  t.equal((await rig.send('GET', '/ubus')).status, 405);
  t.equal((await rig.send('POST', '/ubus', ' '.repeat(65_537))).status, 413, 'a body has 64 KiB at most');
  const other = await rig.send('POST', '/ubus', '{}', { Origin: 'http://evil.example' });
  t.equal(other.status, 403, 'a page of another site gets nothing');
});

t.test('sessions', async (t) => {
  const rig = await SiteRig.start(t);
  await rig.addAdmin();
  t.equal(status(await rig.call(NOBODY, 'session', 'login', { username: 'admin', password: 'wrong' })), 6);
  t.equal(status(await rig.call(NOBODY, 'session', 'login', { username: 'nobody', password: PASSWORD })), 6);
  t.equal(status(await rig.call(NOBODY, 'session', 'login', { username: 'admin' })), 2);
  const sid = await rig.login();
  t.not(await rig.login(), sid, 'each login begins a session of its own');
  t.strictSame(await rig.call(sid, 'session', 'access', { scope: 'ubus', object: 'uci', function: 'set' }), [
    0,
    { access: true },
  ]);
  t.strictSame(await rig.call(sid, 'session', 'access', { scope: 'uci', object: 'network', function: 'read' }), [
    0,
    { access: false },
  ]);
  t.strictSame(await rig.call(sid, 'session', 'set', { values: { token: 'x' } }), [0]);
  t.strictSame(await rig.call(sid, 'session', 'get', { keys: ['token'] }), [0, { values: { token: 'x' } }]);
  t.strictSame(await rig.call(sid, 'session', 'destroy'), [0]);
  t.equal(await rig.call(sid, 'session', 'list'), -32002);
  t.equal(await rig.call(sid, 'session', 'access'), -32002, 'by which pages see that a session has ended');
});

t.test('who guesses is locked out', async (t) => {
  const rig = await SiteRig.start(t);
  await rig.addAdmin();
  for (let i = 0; i < 10; i++) await rig.login('admin', `guess ${i}`);
  t.equal(await rig.login(), '', 'even with the right password');
  t.ok(rig.log.some((line) => /locked out/.test(line)));
  t.notOk(
    rig.log.some((line) => line.includes('guess')),
    'no password is in the log',
  );
});

t.test('uci', async (t) => {
  const rig = await SiteRig.start(t);
  await rig.addAdmin();
  const [sid, other] = [await rig.login(), await rig.login()];
  const get = async (id: string, args: object) =>
    ((await rig.call(id, 'uci', 'get', { config: 'sms_gateway', ...args })) as unknown[])[1];
  t.match(await get(sid, { section: 'post_get' }), {
    values: { '.type': 'post_get', '.name': 'post_get', '.anonymous': false, '.index': 0, enabled: '0' },
  });
  t.strictSame(await get(sid, { section: 'post_get', option: 'username' }), { value: 'user1' });
  t.equal(status(await rig.call(sid, 'uci', 'get', { config: 'sms_gateway', section: 'none' })), 4);
  t.equal(status(await rig.call(sid, 'uci', 'get', { config: 'rpcd' })), 6, 'the passwords are out of reach');
  t.equal(status(await rig.call(sid, 'uci', 'get', { config: '../rpcd' })), 6);

  const before = rig.config;
  const set = (id: string, section: string, values: object) =>
    rig.call(id, 'uci', 'set', { config: 'sms_gateway', section, values } as never);
  t.strictSame(await set(sid, 'post_get', { enabled: true, username: 'other', password: 'user_pass' }), [0]);
  t.equal(status(await set(sid, 'none', { a: 'b' })), 4);
  t.equal(status(await set(sid, 'post_get', { 'bad-name': 'b' })), 2);
  t.equal(rig.config, before, 'nothing is written yet');
  t.strictSame(await get(sid, { section: 'post_get', option: 'username' }), { value: 'other' });
  t.strictSame(
    await get(other, { section: 'post_get', option: 'username' }),
    { value: 'user1' },
    'changes are the session’s own',
  );
  t.strictSame(await rig.call(sid, 'uci', 'changes'), [
    0,
    {
      changes: {
        sms_gateway: [
          ['set', 'post_get', 'enabled', '1'],
          ['set', 'post_get', 'username', 'other'],
        ],
      },
    },
  ]);
  const [, added] = (await rig.call(sid, 'uci', 'add', {
    config: 'sms_gateway',
    type: 'group',
    values: { name: 'new', tel: ['1', '2'] },
  })) as [number, { section: string }];
  t.match(added.section, /^cfg/);
  t.strictSame(await set(sid, added.section, { tel: ['1', '2', '3'] }), [0]);
  t.strictSame(
    await rig.call(sid, 'uci', 'order', { config: 'sms_gateway', sections: [added.section, 'post_get'] }),
    [0],
  );
  t.equal(status(await rig.call(other, 'uci', 'apply', { rollback: false })), 5, 'nothing to apply');

  // Somebody else changes the file meanwhile.
  writeFileSync(`${rig.folder}/config/sms_gateway`, rig.config.replace('friends', 'colleagues'));
  t.strictSame(await rig.call(sid, 'uci', 'apply', { rollback: false }), [0]);
  t.equal(rig.reloads, 1);
  t.equal(
    rig.config,
    `
config group
	option name 'new'
	list tel '1'
	list tel '2'
	list tel '3'

config post_get 'post_get'
	option enabled '1'
	option username 'other'
	option password 'user_pass'

config group
	option name 'colleagues'
	list tel '0037060000001'

`,
    'only what was touched differs',
  );
  t.strictSame(await rig.call(sid, 'uci', 'changes'), [0, { changes: {} }]);
});

t.test('a change follows its unnamed section', async (t) => {
  const rig = await SiteRig.start(t);
  await rig.addAdmin();
  const group = (name: string) => `\nconfig group\n\toption name '${name}'\n`;
  const write = (...names: string[]) => writeFileSync(`${rig.folder}/config/sms_gateway`, names.map(group).join(''));
  const names = () => [...rig.config.matchAll(/option (?:name|tel) '(.*)'/g)].map(([, value]) => value);
  const stage = async (name: string) => {
    const sid = await rig.login();
    const [, { values }] = (await rig.call(sid, 'uci', 'get', { config: 'sms_gateway' })) as [
      number,
      { values: Record<string, { name?: string }> },
    ];
    const section = Object.keys(values).find((key) => values[key]?.name === name) ?? '';
    t.strictSame(await rig.call(sid, 'uci', 'set', { config: 'sms_gateway', section, values: { tel: 'new' } }), [0]);
    return sid;
  };
  write('a', 'b', 'c');
  let sid = await stage('b');
  write('b', 'c');
  await rig.call(sid, 'uci', 'apply', { rollback: false });
  t.strictSame(names(), ['b', 'new', 'c'], 'one before it has gone');
  write('a', 'b', 'c');
  sid = await stage('b');
  write('x', 'a', 'b', 'c');
  await rig.call(sid, 'uci', 'get', { config: 'sms_gateway' });
  write('c', 'x', 'a', 'b');
  await rig.call(sid, 'uci', 'apply', { rollback: false });
  t.strictSame(names(), ['c', 'x', 'a', 'b', 'new'], 'others have moved, twice');
  write('a', 'b', 'c');
  sid = await stage('b');
  write('a', 'c');
  await rig.call(sid, 'uci', 'apply', { rollback: false });
  t.strictSame(names(), ['a', 'c'], 'it has gone itself: its neighbour stays as it is');
  write('a', 'b', 'c');
  sid = await stage('b');
  write('a', 'renamed', 'c');
  await rig.call(sid, 'uci', 'apply', { rollback: false });
  t.strictSame(names(), ['a', 'renamed', 'new', 'c'], 'others have changed another option of it');
});

t.test('an apply goes back unless it is confirmed', async (t) => {
  const rig = await SiteRig.start(t);
  await rig.addAdmin();
  const [sid, other] = [await rig.login(), await rig.login()];
  const before = rig.config;
  const change = (id: string, username: string) =>
    rig.call(id, 'uci', 'set', { config: 'sms_gateway', section: 'post_get', values: { username } });
  await change(sid, 'wrong');
  await change(other, 'other');
  t.strictSame(await rig.call(sid, 'uci', 'apply', { rollback: true, timeout: 60 }), [0]);
  t.match(rig.config, /wrong/);
  t.equal(status(await rig.call(other, 'uci', 'apply', { rollback: true })), 6, 'one at a time');
  t.equal(status(await rig.call(other, 'uci', 'confirm')), 6, 'only who applied may confirm');
  t.strictSame(await rig.call(sid, 'uci', 'rollback'), [0]);
  t.equal(rig.config, before);
  await change(sid, 'right');
  t.strictSame(await rig.call(sid, 'uci', 'apply', { rollback: true, timeout: 1 }), [0]);
  t.strictSame(await rig.call(sid, 'uci', 'confirm'), [0]);
  t.equal(status(await rig.call(sid, 'uci', 'confirm')), 5);
  t.match(rig.config, /right/);
});

t.test('an account that may only look', async (t) => {
  const rig = await SiteRig.start(t);
  await rig.addAdmin();
  await rig.addViewer();
  const sid = await rig.login('viewer');
  t.equal(status(await rig.call(sid, 'sms_gateway.message', 'list')), 0);
  t.equal(await rig.call(sid, 'sms_gateway.message', 'send', { text: 'x' }), -32002);
  t.strictSame(rig.calls, ['list']);
  for (const method of [
    'set',
    'add',
    'delete',
    'rename',
    'order',
    'apply',
    'confirm',
    'revert',
    'commit',
    'rollback',
  ]) {
    t.equal(await rig.call(sid, 'uci', method, { config: 'sms_gateway' }), -32002, method);
  }
  const [, { values }] = (await rig.call(sid, 'uci', 'get', { config: 'sms_gateway', section: 'post_get' })) as [
    number,
    { values: object },
  ];
  t.match(values, { username: 'user1' });
  t.notOk('password' in values, 'secrets are not shown');
  const guess = { config: 'sms_gateway', match: { password: 'user_pass' } };
  t.equal(status(await rig.call(sid, 'uci', 'get', guess)), 6, 'nor told by a match');
  t.notOk(readFileSync(`${rig.folder}/config/rpcd`, 'utf8').includes(PASSWORD), 'passwords are stored hashed');
});
