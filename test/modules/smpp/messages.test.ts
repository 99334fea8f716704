import t from 'tap';
import { until } from '../../support/outbox-rig.ts';
import { refused } from '../../support/scripted-sender.ts';
import { textOf } from './client.ts';
import { SmppGateway, section } from './gateway.ts';
import { c, short, tlv, u8, u16 } from './octets.ts';
import { accepted, type Submit, setReady, stored, submit, waiting } from './submit.ts';

const HOUR = 3_600_000;
const ALICE = '+37060000002';

const query = (id: string, from = 'Tank 7') => [c(id), u8(5, 0), c(from)];

t.test('submit_sm, to the modem', async (t) => {
  const gateway = await SmppGateway.open(t, { default_alphabet: 'gsm' });
  const client = await gateway.bound('bind_transmitter');
  const ids = [
    await accepted(client, { text: 'one' }),
    await accepted(client, { text: '\x04\x10', coding: 8 }),
    await accepted(client, { text: '\x05\x00\x03\x2a\x02\x01part', esmClass: 0x40 }),
    await accepted(client, {
      text: 'rest',
      tlvs: [tlv(0x20c, u16(0x2a)), tlv(0x20e, u8(2)), tlv(0x20f, u8(2))],
    }),
    await accepted(client, { text: '', tlvs: [tlv(0x424, 'long '.repeat(80))] }),
  ];
  await until(() => gateway.rig.modem.given.length === 7, 'all is sent');
  t.same(gateway.rig.modem.texts.slice(0, 4), ['one', 'А', 'part', 'rest']);
  t.equal(gateway.rig.modem.texts.slice(4).join(''), 'long '.repeat(80), 'in three parts');
  const headers = gateway.rig.modem.given.map(({ part }) => Buffer.from(part.udh).toString('hex'));
  t.same(headers.slice(0, 4), ['', '', '00032a0201', '00032a0202']);
  t.ok(gateway.rig.sent.every((sent) => sent.startsWith(`${ALICE} `)));
  await until(() => gateway.rig.store.outbox.counts().sent === ids.length, 'that is stored');
  for (const id of ids) t.match(await stored(gateway, id), { source: 'smpp:admin', state: 'sent' }, id);
});

t.test('submit_sm, its parameters', async (t) => {
  const gateway = await waiting(t);
  const client = await gateway.bound();
  const now = gateway.rig.clock.now();
  const later = await accepted(client, {
    ...{ priority: 3, registered: 1, schedule: '000000010000000R', expiry: '000000030000000R' },
  });
  t.match(await stored(gateway, later), {
    ...{ priority: 3, report: true, notBefore: now + HOUR, expires: now + 3 * HOUR, state: 'queued' },
  });
  t.match(await stored(gateway, await accepted(client)), { priority: 0, expires: now + 48 * HOUR });
  const statuses: readonly (readonly [status: number, fields: Submit, name: string])[] = [
    [0x0b, { to: [1, 1, ''] }, 'no destination'],
    [0x0b, { to: [1, 1, 'Bob'] }, 'letters'],
    [0x50, { to: [5, 0, '37060000002'] }, 'destination TON'],
    [0x51, { to: [1, 2, '37060000002'] }, 'destination NPI'],
    [0x48, { from: [7, 0, 'x'] }, 'source TON'],
    [0x49, { from: [1, 5, 'x'] }, 'source NPI'],
    [0x43, { esmClass: 0x04 }, 'a receipt from a client'],
    [0x06, { priority: 4 }, 'priority'],
    [0x07, { registered: 3 }, 'registered_delivery'],
    [0x07, { registered: 0x20 }, 'registered_delivery, reserved bits'],
    [0x61, { schedule: '260101000000' }, 'no time'],
    [0x61, { schedule: '200101000000000+' }, 'a time that is over'],
    [0x62, { expiry: '200101000000000+' }, 'over before it is sent'],
    [0x62, { expiry: 'soon' }, 'no period'],
    [0x63, { canned: 1 }, 'sm_default_msg_id'],
    [0x54, { replace: 2 }, 'replace_if_present_flag'],
    [0x15, { service: 'USSD' }, 'service_type'],
    [0xc4, { tlvs: [tlv(0x424, 'twice')] }, 'short_message and message_payload'],
    [0xc4, { tlvs: [tlv(0x20c, u16(1))] }, 'a third of the sar triple'],
    [0xc2, { tlvs: [tlv(0x20c, u8(1))] }, 'a TLV of a wrong length'],
    [0xc0, { tlvs: [u8(4, 0x24, 0)] }, 'half a TLV'],
    [0x01, { coding: 8, text: 'abc' }, 'half a character'],
    [0x01, { esmClass: 0x40, text: '\x20a' }, 'a header beyond the end'],
    [0x01, { text: '', tlvs: [tlv(0x424, 'x'.repeat(60_000))] }, 'more than 255 parts'],
  ];
  for (const [status, fields, name] of statuses) {
    const answer = await client.request('submit_sm', submit(fields));
    t.match(answer, { status, body: { length: 0 } }, `${name}: 0x${status.toString(16)}`);
  }
  t.equal((await gateway.rig.outbox()).length, 2, 'nothing of that is kept');
});

t.test('throttling, windows and a full queue', async (t) => {
  const gateway = await waiting(t, { rate: '5', window: '4' }, section('gateway', 'gateway', { queue_limit: '12' }));
  const client = await gateway.bound();
  const submits = (count: number) =>
    Promise.all(
      Array.from({ length: count }, () => client.request('submit_sm', submit()).then(({ status }) => status)),
    );
  const tally = (statuses: readonly number[]) =>
    [0, 0x58, 0x14].map((s) => statuses.filter((each) => each === s).length);
  t.same(tally(await submits(8)), [5, 3, 0], 'five a second, all of a window that is too wide are answered');
  await gateway.rig.clock.advance(1000);
  t.same(tally(await submits(6)), [5, 1, 0], 'five more in the next second');
  await gateway.rig.clock.advance(1000);
  t.same(tally(await submits(5)), [2, 0, 3], 'the queue holds 12');
  t.match(
    gateway.rig.modules.list().find(({ name }) => name === 'smpp'),
    { counters: { throttled: 4 } },
  );
});

t.test('the rate limits an account, over all its sessions', async (t) => {
  const gateway = await waiting(
    t,
    { rate: '3' },
    section('smpp_account', 'b', { username: 'bob', password: 'secret' }),
  );
  const clients = [await gateway.bound(), await gateway.bound(), await gateway.bound('bind_transmitter')];
  const statuses = await Promise.all(
    [...clients, ...clients].map(async (client) => (await client.request('submit_sm', submit())).status),
  );
  t.same(statuses.sort(), [0, 0, 0, 0x58, 0x58, 0x58]);
  const bob = await gateway.bound('bind_transceiver', { id: 'bob', password: 'secret' });
  for (let at = 0; at < 5; at++) await accepted(bob);
});

t.test('parts of UCS2 that end within a character', async (t) => {
  const gateway = await SmppGateway.open(t);
  const client = await gateway.bound();
  const octets = Buffer.from('ąčęėįšųū😀ž'.repeat(10), 'utf16le').swap16().toString('latin1');
  const header = (sequence: number) => `\x06\x08\x04\x12\x34\x02${String.fromCharCode(sequence)}`;
  for (const [at, from] of [0, 133].entries()) {
    const text = header(at + 1) + octets.slice(from, from + 133);
    await accepted(client, { coding: 8, esmClass: 0x40, text });
  }
  await until(() => gateway.rig.modem.given.length === 2, 'both are sent');
  const sent = Buffer.concat(gateway.rig.modem.given.map(({ part }) => part.data));
  t.equal(sent.toString('latin1'), octets, 'a phone joins the octets');
});

t.test('query_sm, cancel_sm, replace_sm', async (t) => {
  const gateway = await waiting(t, {}, section('smpp_account', 'b', { username: 'bob', password: 'secret' }));
  const [client, bob] = [
    await gateway.bound(),
    await gateway.bound('bind_transceiver', { id: 'bob', password: 'secret' }),
  ];
  const state = async (id: string) => {
    const { status, body } = await client.request('query_sm', query(id));
    if (status !== 0) return status;
    const [found = '', final = ''] = body.toString('latin1').split('\0');
    t.equal(found, id);
    t.ok(final === '' || /^\d{13}00\+$/.test(final), 'final_date');
    return body.at(-2);
  };
  const other = (id: string, text: string, from = 'Tank 7') => [
    ...[c(id), u8(5, 0), c(from), c(''), c(''), u8(1, 0), short(text)],
  ];
  const cancel = (id: string, from = 'Tank 7', service = '') => [
    ...[c(service), c(id), u8(5, 0), c(from), u8(1, 1), c('37060000002')],
  ];
  const id = await accepted(client);
  t.equal(await state(id), 1, 'en route');
  t.equal(await state('999'), 0x67);
  t.equal(await state('0x1F'), 0x0c);
  t.same(
    await client.request('query_sm', query(id, 'Tank 8'), 500),
    { ...{ id: 0x8000_0003, status: 0x67, sequence: 500 }, body: Buffer.concat([c(id), c(''), u8(7, 0)]) },
    'another source: no such message, of the id that was asked for',
  );
  const extra = tlv(0x424, 'x');
  t.equal(textOf(await client.request('query_sm', [...query(id), extra])), id, 'also when the request is no right one');
  t.equal((await bob.request('query_sm', query(id))).status, 0x67, 'of another account');

  t.equal((await client.request('replace_sm', other(id, 'better'))).status, 0);
  t.match(await stored(gateway, id), { text: 'better', report: true });
  t.equal((await client.request('replace_sm', other(id, 'x', 'Tank 8'))).status, 0x13);
  t.equal((await bob.request('replace_sm', other(id, 'x'))).status, 0x13);
  const same = await accepted(client, { text: 'best', replace: 1 });
  t.equal(same, id, 'replace_if_present');
  t.equal((await stored(gateway, id)).text, 'best');
  t.not(await accepted(client, { text: 'other type', replace: 1, service: 'VMA' }), id, 'of another service_type');

  t.equal((await bob.request('cancel_sm', cancel(id))).status, 0x11);
  t.equal((await client.request('cancel_sm', cancel(id))).status, 0);
  t.equal(await state(id), 4, 'deleted');
  t.equal((await client.request('cancel_sm', cancel(id))).status, 0x11, 'twice');
  const [one, two] = [await accepted(client), await accepted(client)];
  const third = await accepted(client, { to: [1, 1, '37060000003'] });
  t.equal((await client.request('cancel_sm', cancel('', 'Tank 8'))).status, 0x11, 'none is of that source');
  t.equal((await client.request('cancel_sm', cancel(''))).status, 0, 'all to a number');
  t.same([await state(one), await state(two), await state(third)], [4, 4, 1]);

  setReady(gateway, true);
  await until(async () => (await stored(gateway, third)).state === 'sent', 'it is sent');
  t.equal((await client.request('replace_sm', other(third, 'late'))).status, 0x13);
  t.equal((await client.request('cancel_sm', cancel(third))).status, 0x11);
});

t.test('data_sm', async (t) => {
  const gateway = await SmppGateway.open(t);
  const client = await gateway.bound();
  const data = (esmClass: number, ...tlvs: readonly Uint8Array[]) =>
    client.request('data_sm', [c(''), u8(5, 0), c('Tank 7'), u8(1, 1), c('37060000002'), u8(esmClass, 0, 0), ...tlvs]);
  const answer = await data(0, tlv(0x424, 'hello'));
  t.match(answer, { status: 0 });
  await until(() => gateway.rig.sent.length === 1, 'it is sent');
  t.same(gateway.rig.sent, [`${ALICE} hello`]);
  t.equal((await data(0)).status, 0xc3, 'without message_payload');
  t.equal((await data(2, tlv(0x424, 'now'))).status, 0, 'a transaction: the network has it');
  gateway.rig.modem.will(refused);
  t.equal((await data(2, tlv(0x424, 'never'))).status, 0xfe, 'or will not have it');
});

t.test('a client that waits for the network is still served', async (t) => {
  const gateway = await waiting(t, { window: '2' });
  const { rig } = gateway;
  const client = await gateway.bound();
  const transaction = () =>
    client.request('data_sm', [
      ...[c(''), u8(5, 0), c('Tank 7'), u8(1, 1), c('37060000002'), u8(2, 0, 0), tlv(0x424, 'now')],
    ]);
  const open = [transaction(), transaction()];
  t.equal((await transaction()).status, 0x58, 'no more than its window');
  t.equal((await client.request('enquire_link')).status, 0);
  await accepted(client);
  await rig.receive(ALICE, 'hello');
  client.answer(await client.asked('deliver_sm'));
  await rig.handled('smpp');
  await rig.clock.advance(20_000);
  t.same(
    (await Promise.all(open)).map(({ status }) => status),
    [0xfe, 0xfe],
    'the network was not there in time',
  );
  t.same((await rig.outbox()).map(({ state }) => state).sort(), ['cancelled', 'cancelled', 'queued']);
});
