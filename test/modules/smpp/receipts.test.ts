import t from 'tap';
import { until } from '../../support/outbox-rig.ts';
import { refused, refusedWith } from '../../support/scripted-sender.ts';
import { messageOf, textOf } from './client.ts';
import { SmppGateway } from './gateway.ts';
import { c, tlv, u8 } from './octets.ts';
import { accepted, type Submit, setReady, stored, submit, waiting } from './submit.ts';

const ALICE = '+37060000002';

t.test('receipts', async (t) => {
  const gateway = await SmppGateway.open(t);
  const { rig } = gateway;
  const client = await gateway.bound();
  const report = (mr: number, status: number) =>
    rig.store.outbox.report({ modem: 'gsm0', mr, number: ALICE, status, discharged: rig.clock.now() });
  const sent = async (fields: Submit) => {
    const id = await accepted(client, fields);
    await until(async () => /^(sent|failed)$/.test((await stored(gateway, id)).state), 'it is sent');
    return id;
  };
  const receipt = async () => {
    const pdu = await client.asked('deliver_sm');
    client.answer(pdu);
    return messageOf(pdu);
  };
  const both = await sent({
    ...{ registered: 1, text: 'Tank 7 stands at 93 %.' },
    tlvs: [tlv(0x204, u8(0xab, 0xcd))],
  });
  await report(0, 0);
  const delivered = await receipt();
  t.match(delivered, { source: '1.1.37060000002', destination: '5.0.Tank 7', esmClass: 0x04, dataCoding: 0 });
  t.equal(
    delivered.text.toString('latin1'),
    `id:${both} sub:001 dlvrd:001 submit date:2601010000 done date:2601010000 stat:DELIVRD err:000 text:Tank 7 stands at 93 `,
  );
  t.equal(delivered.tlvs.get(0x1e)?.toString('latin1'), `${both}\0`);
  t.same(delivered.tlvs.get(0x427), u8(2));
  t.same(delivered.tlvs.get(0x204), u8(0xab, 0xcd), 'user_message_reference comes back');

  await sent({ registered: 2, text: 'failures only', from: [5, 0, 'K\xfcche'] });
  await report(1, 0);
  const failing = await sent({ registered: 2, from: [5, 0, 'K\xfcche'] });
  await report(2, 0x41);
  const undelivered = await receipt();
  t.equal(undelivered.destination, '5.0.K\xfcche', 'the sender as the client wrote it');
  t.notOk(undelivered.tlvs.has(0x204), 'no reference where none was given');
  t.match(undelivered.text.toString('latin1'), `id:${failing} sub:001 dlvrd:000`);
  t.match(undelivered.text.toString('latin1'), 'stat:UNDELIV');
  t.same(undelivered.tlvs.get(0x427), u8(5));

  rig.modem.will(refused);
  const rejectedId = await sent({ registered: 1, coding: 8, text: '\x04\x10' });
  const rejectedReceipt = (await receipt()).text.toString('latin1');
  t.match(rejectedReceipt, `id:${rejectedId} `);
  t.match(rejectedReceipt, 'stat:REJECTD err:001 text:');
  t.ok(rejectedReceipt.endsWith('text:'), 'no text of UCS2');

  const intermediate = await sent({ registered: 0x11 });
  const onTheWay = await receipt();
  t.match(onTheWay, { esmClass: 0x20 });
  t.match(onTheWay.text.toString('latin1'), `id:${intermediate} `);
  await report(3, 0);
  t.match((await receipt()).text.toString('latin1'), 'stat:DELIVRD');
  await sent({ registered: 0 });
  await report(4, 0);
  await rig.handled('smpp');
  t.equal(client.waiting, 0, 'no receipt that nobody wants');
});

t.test('receipts wait for a receiver, over a crash too', async (t) => {
  const gateway = await SmppGateway.open(t);
  const client = await gateway.bound('bind_transmitter');
  const ids = [await accepted(client, { registered: 1 }), await accepted(client, { registered: 1 })];
  await until(() => gateway.rig.sent.length === 2, 'both are sent');
  for (const mr of [0, 1]) {
    await gateway.rig.store.outbox.report({ modem: 'gsm0', mr, number: ALICE, status: 0, discharged: 0 });
  }
  await gateway.rig.handled('smpp').catch(() => undefined);
  await gateway.crash();
  const receiver = await gateway.bound('bind_receiver', { version: 0x33 });
  for (const id of ids) {
    const pdu = await receiver.asked('deliver_sm');
    receiver.answer(pdu);
    const { text, tlvs } = messageOf(pdu);
    t.match(text.toString('latin1'), `id:${id} `, 'in order');
    t.equal(tlvs.size, 0, 'no optional parameters for version 3.3');
  }
  await gateway.rig.handled('smpp');
  await gateway.crash();
  const again = await gateway.bound('bind_receiver');
  await again.request('enquire_link');
  t.equal(again.waiting, 0, 'only once');
});

t.test('receipts of split, cancelled and expired messages, and of submit_multi', async (t) => {
  const gateway = await waiting(t, { enquire_link: '0' });
  const { rig } = gateway;
  const client = await gateway.bound();
  const receipt = async () => {
    const pdu = await client.asked('deliver_sm');
    client.answer(pdu);
    const { source, text, tlvs } = messageOf(pdu);
    return { source, text: text.toString('latin1'), tlvs };
  };
  const cancelled = await accepted(client, { registered: 1 });
  const cancel = [c(''), c(cancelled), u8(5, 0), c('Tank 7'), u8(1, 1), c('37060000002')];
  t.equal((await client.request('cancel_sm', cancel)).status, 0);
  t.match((await receipt()).text, new RegExp(`^id:${cancelled} .* stat:DELETED`));

  // The time that the client has to answer must not pass.
  await rig.handled('smpp');
  const late = await accepted(client, { registered: 2, expiry: '000000000010000R' });
  // Not longer: the receipt that follows has its own time to be answered.
  await rig.clock.advance(10_000);
  t.match((await receipt()).text, new RegExp(`^id:${late} .* stat:EXPIRED`));

  setReady(gateway, true);
  const long = await accepted(client, { registered: 1, text: '', tlvs: [tlv(0x424, 'long '.repeat(60))] });
  await until(() => rig.sent.length === 2, 'both parts are sent');
  const report = (mr: number, number: string, status = 0) =>
    rig.store.outbox.report({ modem: 'gsm0', mr, number, status, discharged: rig.clock.now() });
  await report(0, ALICE);
  await client.request('enquire_link');
  t.equal(client.waiting, 0, 'not after the first part');
  await report(1, ALICE);
  t.match((await receipt()).text, new RegExp(`^id:${long} .* stat:DELIVRD .* text:long long long long $`));

  rig.modem.will(refusedWith(28, 'unidentified subscriber'));
  const refusedId = await accepted(client, { registered: 1 });
  const refusedReceipt = await receipt();
  t.match(refusedReceipt.text, new RegExp(`^id:${refusedId} .* stat:REJECTD err:028`));
  t.same(refusedReceipt.tlvs.get(0x423), u8(3, 0, 28), 'network_error_code');

  const both = [u8(2), u8(1, 1, 1), c('37060000002'), u8(1, 1, 1), c('37060000003')];
  const many = textOf(await client.request('submit_multi', submit({ registered: 1 }, both)));
  await until(() => rig.sent.length === 5, 'both are sent');
  const given = rig.modem.given.slice(-2).map(({ number }) => number);
  await report(2, given[0] ?? '');
  await report(3, given[1] ?? '');
  const receipts = [await receipt(), await receipt()];
  t.ok(
    receipts.every(({ text }) => text.startsWith(`id:${many} `)),
    'all have the message_id of the answer',
  );
  t.same(receipts.map(({ source }) => source).sort(), ['1.1.37060000002', '1.1.37060000003'], 'and tell the recipient');
  await rig.handled('smpp');
});
