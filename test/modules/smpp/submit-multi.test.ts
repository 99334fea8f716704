import t from 'tap';
import { numberOf } from '../../support/outbox-rig.ts';
import { textOf } from './client.ts';
import { section } from './gateway.ts';
import { c, u8 } from './octets.ts';
import { submit, waiting } from './submit.ts';

const ALICE = '+37060000002';

const to = (...numbers: readonly string[]) => numbers.flatMap((number) => [u8(1, 1, 1), c(number)]);
const list = (name: string) => [u8(2), c(name)];

t.test('submit_multi', async (t) => {
  const group = section('group', 'friends', { name: 'friends', tel: [numberOf(3), numberOf(4)] });
  const gateway = await waiting(t, {}, group);
  const client = await gateway.bound();
  const multi = (count: number, ...destinations: readonly Buffer[]) =>
    client.request('submit_multi', submit({ registered: 1 }, [u8(count), ...destinations]));
  const answer = await multi(4, ...to('37060000002', 'nobody'), u8(2), c('friends'), u8(1, 5, 0), c('37060000005'));
  t.equal(answer.status, 0);
  const messages = await gateway.rig.outbox();
  t.same(
    messages.map(({ number }) => number),
    [ALICE, numberOf(3), numberOf(4)],
  );
  t.equal(textOf(answer), `${messages[0]?.id}`);
  const failed = Buffer.concat([
    ...[u8(2), u8(1, 1), c('nobody'), u8(0, 0, 0, 0x0b), u8(5, 0), c('37060000005'), u8(0, 0, 0, 0x50)],
  ]);
  t.same(answer.body.subarray(textOf(answer).length + 1), failed, 'unsuccess_sme');
  t.equal((await multi(1, u8(2), c('foes'))).status, 0x34);
  t.match(await multi(1, ...to('nobody')), {
    status: 0x0b,
    body: Buffer.concat([c(''), u8(1, 1, 1), c('nobody'), u8(0, 0, 0, 0x0b)]),
  });
  t.equal((await multi(0)).status, 0x33);
  t.equal((await multi(1, u8(7), c('x'))).status, 0x40);
});

t.test('who is given twice, or stands in two lists, gets the message once', async (t) => {
  const friends = section('group', 'friends', { name: 'friends', tel: [numberOf(3), '0037060000002', numberOf(3)] });
  const family = section('group', 'family', { name: 'family', tel: [numberOf(3), numberOf(4)] });
  const gateway = await waiting(t, { rate: '3' }, friends + family);
  const client = await gateway.bound();
  const destinations = [
    ...[...to('37060000002', '+37060000002'), u8(1, 0, 1), c('0037060000002')],
    ...[...list('friends'), ...list('family')],
  ];
  const answer = await client.request('submit_multi', submit({}, [u8(5), ...destinations]));
  t.equal(answer.status, 0, 'three are within the rate');
  t.same(answer.body.subarray(-1), u8(0), 'and none failed');
  t.same(
    (await gateway.rig.outbox()).map(({ number }) => number),
    [ALICE, numberOf(3), numberOf(4)],
  );
});
