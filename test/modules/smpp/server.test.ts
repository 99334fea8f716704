import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect as connectPlain } from 'node:net';
import { connect as connectTls } from 'node:tls';
import fc from 'fast-check';
import t from 'tap';
import { selfSigned } from '../../support/certificate.ts';
import { testFolder } from '../../support/folder.ts';
import { until } from '../../support/outbox-rig.ts';
import { SmppClient, textOf } from './client.ts';
import { SmppGateway, section } from './gateway.ts';
import { bodies, c, ids, mutated, pdu, RESPONSE, tlv, u8 } from './octets.ts';

const SECOND = 1000;

function sessionCount({ rig }: SmppGateway): number {
  const { sessions } = rig.modules.status('smpp').details;
  return Array.isArray(sessions) ? sessions.length : Number.NaN;
}

t.test('binds', async (t) => {
  const gateway = await SmppGateway.open(t, { system_type: ['VMS', 'OTA'] });
  for (const as of ['bind_receiver', 'bind_transmitter', 'bind_transceiver'] as const) {
    const client = await gateway.connect();
    const answer = await client.bind(as, { type: 'VMS' });
    t.match(answer, { id: RESPONSE + ids[as], status: 0, sequence: 1 }, as);
    t.not(textOf(answer), '', 'the server names itself');
    t.same(answer.body.subarray(-5), u8(0x02, 0x10, 0, 1, 0x34), 'and its version');
    t.equal((await client.bind(as, { type: 'VMS' })).status, 0x05, 'twice');
  }
  const old = await gateway.connect();
  const answer = await old.bind('bind_receiver', { type: 'OTA', version: 0x33 });
  t.equal(answer.body.length, textOf(answer).length + 1, 'no optional parameters for version 3.3');

  const client = await gateway.connect();
  t.same(await client.bind('bind_transmitter', { id: 'nobody' }), {
    ...{ id: RESPONSE + ids.bind_transmitter, status: 0x0f, sequence: 1, body: Buffer.alloc(0) },
  });
  t.same(await client.bind('bind_transceiver', { password: 'admin02' }), {
    ...{ id: RESPONSE + ids.bind_transceiver, status: 0x0e, sequence: 2, body: c('sms_gateway') },
  });
  t.equal((await client.bind('bind_transmitter', { password: '' })).status, 0x0e);
  await gateway.refused(client);
  t.pass('no more than three tries on one connection');
  const other = await gateway.connect();
  t.equal((await other.bind('bind_transmitter', { type: 'WAP' })).status, 0x53);
  t.equal((await other.bind('bind_transmitter', { type: 'OTA' })).status, 0, 'a second try on the same connection');
});

t.test('a client that ends every text with a NUL, as php-smpp does', async (t) => {
  const gateway = await SmppGateway.open(t);
  const client = await gateway.connect();
  const more = (name: keyof typeof bodies, ...octets: readonly Uint8Array[]) =>
    client.request(name, [...bodies[name], u8(0), ...octets]);
  t.equal((await more('bind_transceiver')).status, 0);
  t.equal((await more('enquire_link')).status, 0);
  t.equal((await more('submit_sm')).status, 0);
  const parts = [tlv(0x20c, u8(0, 7)), tlv(0x20e, u8(2)), tlv(0x20f, u8(2))];
  t.equal((await more('submit_sm', ...parts)).status, 0, 'in front of optional parameters');
  await until(() => gateway.rig.modem.given.length === 2, 'both are sent');
  t.same(
    gateway.rig.modem.given.map(({ part }) => Buffer.from(part.udh).toString('hex')),
    ['', '0003070202'],
  );
  t.equal((await more('unbind')).status, 0);
  await client.closed;
});

t.test('who may bind', async (t) => {
  const accounts =
    section('smpp_account', 'a', { username: 'alice', password: 'secret', max_sessions: '1' }) +
    section('smpp_account', 'b', { username: 'bob', password: 'secret', allow_from: ['192.0.2.0/24'] }) +
    section('smpp_account', 'c', { username: 'carol', password: 'secret', enabled: '0' });
  const gateway = await SmppGateway.open(t, { max_failures: '9' }, accounts);
  const alice = await gateway.bound('bind_transceiver', { id: 'alice', password: 'secret' });
  const client = await gateway.connect();
  t.equal(
    (await client.bind('bind_receiver', { id: 'alice', password: 'secret' })).status,
    0x0d,
    'one session too many',
  );
  t.equal((await client.bind('bind_receiver', { id: 'bob', password: 'secret' })).status, 0x0d, 'from elsewhere');
  const { status } = await client.bind('bind_receiver', { id: 'carol', password: 'secret' });
  t.ok([0x0d, 0x0f].includes(status), 'switched off');
  await gateway.refused(client);
  alice.destroy();
  await until(async () => {
    const again = await gateway.connect();
    const answer = await again.bind('bind_receiver', { id: 'alice', password: 'secret' });
    if (answer.status !== 0) again.destroy();
    return answer.status === 0;
  }, 'alice may bind again when her session has ended');
});

t.test('more connections than allowed', async (t) => {
  for (const limit of ['max_sessions', 'max_sessions_per_address']) {
    const gateway = await SmppGateway.open(t, { [limit]: '2' });
    const [first] = [await gateway.bound(), await gateway.bound()];
    const third = await gateway.connect();
    t.equal((await third.bind('bind_receiver')).status, 0x0d, limit);
    await gateway.refused(third);
    t.equal((await first.request('enquire_link')).status, 0, 'the others are not troubled');
  }
});

t.test('an address that tries passwords is locked out', async (t) => {
  const gateway = await SmppGateway.open(t, { max_failures: '3', lockout: '60' });
  const trying = await gateway.connect();
  for (let tries = 0; tries < 3; tries++) await trying.bind('bind_receiver', { password: `${tries}` });
  const refused = await gateway.connect();
  t.equal((await refused.bind('bind_receiver')).status, 0x0d, 'with the right password as well');
  refused.destroy();
  await gateway.rig.clock.advance(61 * SECOND);
  await gateway.bound();
  t.notMatch(gateway.rig.log.join('\n'), 'admin01', 'no password in the log');
});

t.test('requests out of place', async (t) => {
  const gateway = await SmppGateway.open(t);
  const open = await gateway.connect();
  // SMPP 3.4 4.5.2, 4.7.2 and 4.8.2 have no exception for errors.
  const errorBodies = [
    ['submit_sm', []],
    ['query_sm', [c('12'), c(''), u8(7, 0)]],
    ['cancel_sm', []],
    ['replace_sm', []],
    ['submit_multi', [c(''), u8(0)]],
    ['data_sm', [c('')]],
  ] as const;
  for (const [name, body] of errorBodies) {
    t.same(
      await open.request(name, bodies[name], 50),
      { ...{ id: RESPONSE + ids[name], status: 0x04, sequence: 50, body: Buffer.concat(body) } },
      name,
    );
  }
  t.equal((await open.request('unbind')).status, 0x04);
  t.match(await open.request('enquire_link'), { id: RESPONSE + ids.enquire_link, status: 0 }, 'before the bind');
  const receiver = await gateway.bound('bind_receiver');
  t.equal((await receiver.request('submit_sm', bodies.submit_sm)).status, 0x04);

  const client = await gateway.bound();
  for (const id of [0, 0x0a, 0x0b, 0x102, 0x7fff_ffff, ids.deliver_sm]) {
    client.send(pdu(id, [u8(1, 2, 3)], 0x8123_4567));
    t.match(await client.next(), { id: RESPONSE, status: 3, sequence: 0x8123_4567 }, `0x${id.toString(16)}`);
  }
  for (const id of [RESPONSE, RESPONSE + ids.deliver_sm, RESPONSE + ids.enquire_link, 0xffff_ffff]) {
    client.send(pdu(id, [], 1, 3), pdu(id, [u8(9)], 77));
  }
  t.equal((await client.request('enquire_link', [], 0)).sequence, 0, 'answers that nobody asked for are not answered');
  t.equal(client.waiting, 0);
  t.match(await client.request('unbind'), { id: RESPONSE + ids.unbind, status: 0 });
  await client.closed;
  t.pass('the server closes after unbind_resp');
});

t.test('an invalid command_length ends only its connection', async (t) => {
  const gateway = await SmppGateway.open(t, { max_sessions: '200', max_sessions_per_address: '200' });
  const witness = await gateway.bound();
  for (const length of [...Array(16).keys(), 70_001, 0x7fff_ffff, 0xffff_ffff]) {
    for (const bound of [true, false]) {
      const client = bound ? await gateway.bound() : await gateway.connect();
      const header = pdu(ids.enquire_link, [], 5);
      header.writeUInt32BE(length, 0);
      client.send(header);
      t.match(await client.next(), { id: RESPONSE, status: 2, sequence: 5 }, `${length}`);
      await client.closed;
    }
  }
  const cut = await gateway.bound();
  cut.send(pdu(ids.submit_sm, bodies.submit_sm).subarray(0, 30));
  cut.destroy();
  const single = await gateway.bound();
  for (const octet of pdu(ids.enquire_link, [], 9)) single.send(u8(octet));
  t.equal((await single.next()).sequence, 9, 'octet by octet');
  t.equal((await witness.request('enquire_link')).status, 0);
});

t.test('every request is answered, whatever its body', async (t) => {
  const gateway = await SmppGateway.open(t, { max_failures: '0' });
  const requests = fc.array(
    mutated.filter((octets) => octets.readUInt32BE(4) !== ids.unbind),
    { minLength: 50, maxLength: 50 },
  );
  await fc.assert(
    fc.asyncProperty(requests, async (all) => {
      const client = await gateway.bound();
      all.forEach((octets, at) => {
        octets.writeUInt32BE(at + 100, 12);
        client.send(octets);
      });
      const answered = await Promise.all(all.map(() => client.next(({ id }) => id >= RESPONSE)));
      const sequences = answered.map(({ sequence }) => sequence).sort((a, b) => a - b);
      t.same(
        sequences,
        [...all.keys()].map((at) => at + 100),
      );
      client.destroy();
      await until(() => sessionCount(gateway) === 0, 'the session has ended');
    }),
    { numRuns: 40 },
  );
  t.notOk(
    gateway.rig.log.some((line) => line.startsWith('error')),
    'nothing unforeseen',
  );
});

t.test('timers', async (t) => {
  const gateway = await SmppGateway.open(t, { enquire_link: '30', response_timeout: '10', inactivity_timeout: '300' });
  const { clock } = gateway.rig;
  const silent = await gateway.connect();
  silent.send(u8(0, 0, 0));
  await until(() => clock.pending > 0, 'the connection is seen');
  await clock.advance(10 * SECOND);
  await silent.closed;
  t.pass('no bind within 10 s');

  const [alive, dead] = [await gateway.bound(), await gateway.bound('bind_transmitter')];
  await clock.advance(30 * SECOND);
  alive.answer(await alive.asked('enquire_link'));
  await dead.asked('enquire_link');
  await alive.request('enquire_link');
  await clock.advance(10 * SECOND);
  await dead.asked('enquire_link');
  await clock.advance(10 * SECOND);
  await dead.closed;
  t.equal((await alive.request('enquire_link')).status, 0, 'two misses end a session, an answer keeps it');
});

t.test('inactivity_timeout ends a session without messages', async (t) => {
  const gateway = await SmppGateway.open(t, { enquire_link: '0', inactivity_timeout: '60' });
  const { clock } = gateway.rig;
  const client = await gateway.bound();
  await clock.advance(59 * SECOND);
  t.equal(client.waiting, 0);
  await clock.advance(2 * SECOND);
  client.answer(await client.asked('unbind'));
  await client.closed;
});

t.test('a client that never reads is paused, then disconnected', async (t) => {
  const gateway = await SmppGateway.open(t, { enquire_link: '0' });
  const requests = Buffer.concat(Array.from({ length: 4000 }, (_, at) => pdu(ids.enquire_link, [], at)));
  const client = await gateway.bound();
  client.socket.pause();
  let written = 0;
  const more = () => {
    while (written < 400 && !client.socket.destroyed && client.socket.write(requests)) written++;
  };
  client.socket.on('drain', more);
  more();
  // What the kernel takes is full when nothing moves any more.
  let last = -1;
  while (last !== written) {
    last = written;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  t.ok(written < 400, `the server stops reading (${written})`);
  // There may be megabytes that it has taken and still looks through, on a busy machine for long.
  for (const end = Date.now() + 60_000; sessionCount(gateway) > 0 && Date.now() < end; ) {
    await gateway.rig.clock.advance(SECOND);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  t.equal(sessionCount(gateway), 0, 'it is cut off');
});

t.test('a new certificate disturbs no session', async (t) => {
  const folder = testFolder(t, { other: {} });
  const { cert, file, keyFile } = selfSigned(folder);
  const other = selfSigned(`${folder}/other`);
  const tls = { tls_port: 'TLS_PORT', tls_cert: file, tls_key: keyFile };
  const gateway = await SmppGateway.open(t, tls, '', { folder });
  const secure = async (ca: string) => {
    const socket = connectTls({ port: gateway.tlsPort, host: '127.0.0.1', ca });
    await once(socket, 'secureConnect');
    return new SmppClient(socket);
  };
  const early = await secure(cert);
  t.equal((await early.bind('bind_transceiver')).status, 0);
  writeFileSync(keyFile, other.key);
  writeFileSync(file, other.cert);
  await until(async () => {
    await gateway.rig.clock.advance(500);
    return secure(other.cert).then(
      (client) => {
        client.destroy();
        return true;
      },
      () => false,
    );
  }, 'new sessions see the new certificate');
  t.equal((await early.request('submit_sm', bodies.submit_sm)).status, 0, 'the open one goes on');
  t.match(gateway.rig.modules.status('smpp').details, { certificate: { subject: 'CN=localhost', expires: /^20/ } });
  await t.rejects(
    once(
      connectTls({
        port: gateway.tlsPort,
        host: '127.0.0.1',
        ca: other.cert,
        maxVersion: 'TLSv1.1',
        minVersion: 'TLSv1',
      }),
      'secureConnect',
    ),
    'TLS 1.1 is refused',
  );
  early.destroy();
});

t.test('TLS', async (t) => {
  const folder = testFolder(t);
  const { cert, file, keyFile } = selfSigned(folder);
  const tls = { tls_port: 'TLS_PORT', tls_cert: file, tls_key: keyFile };
  const gateway = await SmppGateway.open(t, { ...tls, max_sessions: '2' }, '', { folder });
  const plain = async (octets: Uint8Array) => {
    const socket = connectPlain(gateway.tlsPort, '127.0.0.1');
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    socket.resume();
    socket.write(octets);
    return socket;
  };
  const secure = async () => {
    const socket = connectTls({ port: gateway.tlsPort, host: '127.0.0.1', ca: cert });
    await once(socket, 'secureConnect');
    return new SmppClient(socket);
  };
  /** However a connection ends, the next one has its place. */
  const ends: readonly ((client: SmppClient) => unknown)[] = [
    (client) => client.destroy(),
    (client) => client.socket.end(),
    (client) => client.request('unbind'),
  ];
  for (const end of [...ends, ...ends]) {
    await once(await plain(pdu(ids.bind_transceiver, bodies.bind_transceiver)), 'close');
    const half = await plain(Buffer.from('1603010200010001fc0303', 'hex'));
    half.resetAndDestroy();
    const client = await secure();
    t.equal((await client.bind('bind_transceiver')).status, 0);
    t.equal((await client.request('submit_sm', bodies.submit_sm)).status, 0);
    await end(client);
    await client.closed;
    await until(() => sessionCount(gateway) === 0, 'the session has ended');
  }
});

t.test('the server stops', async (t) => {
  const gateway = await SmppGateway.open(t);
  const [one, two, unbound] = [await gateway.bound(), await gateway.bound('bind_receiver'), await gateway.connect()];
  const stopped = gateway.rig.configure(section('smpp', 'smpp', { enabled: '0' }));
  for (const client of [one, two]) client.answer(await client.asked('unbind'));
  await Promise.all([one.closed, two.closed, unbound.closed, stopped]);
  await t.rejects(SmppClient.connect(gateway.port), { code: 'ECONNREFUSED' });
  await gateway.rig.configure(section('smpp', 'smpp', { enabled: '1', port: `${gateway.port}` }));
  await gateway.running();
  t.equal(
    (await (await gateway.bound()).request('query_sm', [c('1'), u8(0, 0), c('')])).status,
    0x67,
    'and starts again',
  );
});
