import t from 'tap';
import { until } from '../../support/outbox-rig.ts';
import { refused } from '../../support/scripted-sender.ts';
import { messageOf } from './client.ts';
import { SmppGateway } from './gateway.ts';
import { u8 } from './octets.ts';
import { accepted, type Submit, stored } from './submit.ts';

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
  const both = await sent({ registered: 1, text: 'Tank 7 stands at 93 %.' });
  await report(0, 0);
  const delivered = await receipt();
  t.match(delivered, { source: '1.1.37060000002', destination: '5.0.Tank 7', esmClass: 0x04, dataCoding: 0 });
  t.equal(
    delivered.text.toString('latin1'),
    `id:${both} sub:001 dlvrd:001 submit date:2601010000 done date:2601010000 stat:DELIVRD err:000 text:Tank 7 stands at 93 `,
  );
  t.equal(delivered.tlvs.get(0x1e)?.toString('latin1'), `${both}\0`);
  t.same(delivered.tlvs.get(0x427), u8(2));

  await sent({ registered: 2, text: 'failures only' });
  await report(1, 0);
  const failing = await sent({ registered: 2 });
  await report(2, 0x41);
  const undelivered = await receipt();
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
