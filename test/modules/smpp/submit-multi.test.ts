import t from 'tap';
import type { MessageId } from '../../../src/store/message.ts';
import { numberOf, until } from '../../support/outbox-rig.ts';
import { type SmppClient, textOf } from './client.ts';
import { SmppGateway, section } from './gateway.ts';
import { c, short, u8 } from './octets.ts';
import { accepted, submit, waiting } from './submit.ts';

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

/** What a client does with a message_id. */
function operations(client: SmppClient) {
  const address = [u8(5, 0), c('Tank 7')];
  return {
    query: async (id: string) => {
      const { status, body } = await client.request('query_sm', [c(id), ...address]);
      const [, final] = body.toString('latin1').split('\0');
      return status === 0 ? { state: body.at(-2), final: final !== '' } : status;
    },
    cancel: async (id: string) =>
      (await client.request('cancel_sm', [c(''), c(id), ...address, ...[u8(1, 1), c('37060000003')]])).status,
    replace: async (id: string, text: string) =>
      (await client.request('replace_sm', [c(id), ...address, c(''), c(''), u8(0, 0), short(text)])).status,
  };
}

t.test('the message_id of a submit_multi is that of all its messages', async (t) => {
  const more = section('gateway', 'gateway', { deny_prefix: [numberOf(9)] });
  const gateway = await waiting(t, {}, more);
  const { rig } = gateway;
  const client = await gateway.bound();
  const { query, cancel, replace } = operations(client);
  const multi = async (...numbers: readonly string[]) =>
    textOf(await client.request('submit_multi', submit({}, [u8(numbers.length), ...to(...numbers)])));
  const texts = async () => (await rig.outbox()).map(({ text, state }) => `${text} ${state}`);
  // One is refused only when it is submitted, so that one message fewer follows than was expected.
  const id = await multi('37060000002', numberOf(9), '37060000003', '37060000004');
  const single = await accepted(client, { text: 'another' });
  await rig.clock.advance(1_000);
  t.same(await query(id), { state: 1, final: false });
  t.equal(await replace(id, 'news'), 0);
  t.same(await texts(), ['news queued', 'news queued', 'news queued', 'another queued']);

  // What was replaced by another submit still stands for the others.
  t.equal(await accepted(client, { text: 'newer', replace: 1 }), id);
  await rig.store.outbox.cancel((await rig.outbox())[0]?.id ?? (0 as MessageId));
  t.same(await query(id), { state: 1, final: false }, 'the others are on their way');
  t.equal(await replace(id, 'best'), 0);
  t.same(await texts(), ['newer cancelled', 'best queued', 'best queued', 'another queued']);
  t.equal(await cancel(id), 0, 'those that wait, whatever its destination says');
  t.same(await texts(), ['newer cancelled', 'best cancelled', 'best cancelled', 'another queued']);
  t.same(await query(id), { state: 4, final: true });
  t.equal(await cancel(id), 0x11, 'none waits any more');
  t.equal(await replace(id, 'late'), 0x13);
  t.equal(await cancel(single), 0);
});

t.test('of messages that came to different ends, query_sm tells the worst', async (t) => {
  const gateway = await SmppGateway.open(t);
  const { rig } = gateway;
  const client = await gateway.bound();
  const { query, cancel } = operations(client);
  const destinations = [u8(3), ...to('37060000002', '37060000003', '37060000004')];
  const id = textOf(await client.request('submit_multi', submit({ registered: 1 }, destinations)));
  await until(() => rig.sent.length === 3, 'all are sent');
  const report = async (at: number, status: number) => {
    const number = rig.modem.given[at]?.number ?? '';
    await rig.store.outbox.report({ modem: 'gsm0', mr: at, number, status, discharged: rig.clock.now() });
  };
  await report(0, 0);
  await report(1, 0x41);
  t.same(await query(id), { state: 1, final: false }, 'one is on its way');
  await report(2, 0);
  t.same(await query(id), { state: 5, final: true }, 'undeliverable');
  t.equal(await cancel(id), 0x11);
});
