import t from 'tap';
import { KnownClients, type SlotHolder, Slots } from '../../src/access/slots.ts';

class Holder implements SlotHolder {
  silent = true;
  trusted = false;
  closed = false;

  close(): void {
    this.closed = true;
  }
}

function door(rules: { total: number; perAddress?: number; reserve?: number; isProxy?: (address: string) => boolean }) {
  const known = new KnownClients();
  const slots = new Slots({ perAddress: rules.total, reserve: 0, known, ...rules });
  const enter = (address: string, like: Partial<Pick<Holder, 'silent' | 'trusted'>> = {}) => {
    const holder = Object.assign(new Holder(), like);
    const leave = slots.enter(address, holder);
    return { holder, leave, entered: leave !== undefined };
  };
  return { known, slots, enter };
}

t.test('a silent connection of the address that has the most makes room, its oldest first', async (t) => {
  const { slots, enter } = door({ total: 4 });
  const single = enter('192.0.2.9');
  const crowd = [1, 2, 3].map(() => enter('192.0.2.1'));
  t.ok(enter('192.0.2.2').entered);
  t.same(
    crowd.map(({ holder }) => holder.closed),
    [true, false, false],
  );
  t.equal(single.holder.closed, false, 'although it came first');
  t.equal(slots.used, 4);
  t.match(slots.usage(), { used: 4, limit: 4, silent: 4, evicted: 1, refused: 0 });
});

t.test('who is being answered is not disturbed', async (t) => {
  const { slots, enter } = door({ total: 2 });
  const busy = [enter('192.0.2.1', { silent: false }), enter('192.0.2.1', { silent: false })];
  t.notOk(enter('192.0.2.2').entered);
  t.notOk(busy.some(({ holder }) => holder.closed));
  t.equal(slots.usage().refused, 1);
  busy[0]?.leave?.();
  busy[0]?.leave?.();
  t.ok(enter('192.0.2.2').entered, 'a place that was left is given, once');
  t.equal(slots.used, 2);
});

t.test('an address has its own limit, an IPv6 client that of its /64', async (t) => {
  const { enter } = door({ total: 10, perAddress: 2 });
  const busy = { silent: false };
  for (const [first, second, third] of [
    ['192.0.2.1', '192.0.2.1', '192.0.2.1'],
    ['2001:db8::1', '2001:db8::2', '2001:db8::3'],
  ] as const) {
    t.ok(enter(first, busy).entered);
    t.ok(enter(second, busy).entered);
    t.notOk(enter(third).entered, third);
  }
  t.ok(enter('2001:db8:0:1::1').entered);
  const { holder } = enter('192.0.2.7');
  enter('192.0.2.7');
  t.ok(enter('192.0.2.7').entered, 'where one is silent it makes room');
  t.equal(holder.closed, true);
});

t.test('the reserve is for this machine, and for who has logged in now or before', async (t) => {
  const { known, enter } = door({ total: 6, reserve: 2 });
  known.add('198.51.100.1', 'somebody');
  for (let i = 1; i <= 4; i++) t.ok(enter(`192.0.2.${i}`, { silent: false }).entered);
  t.notOk(enter('192.0.2.5').entered, 'a stranger gets none of it');
  t.ok(enter('198.51.100.1', { silent: false }).entered);
  t.ok(enter('127.0.0.1', { silent: false }).entered);
  t.notOk(enter('::1').entered, 'and it has an end');
});

t.test('a crowd on this machine does not keep out who has logged in', async (t) => {
  const { known, enter } = door({ total: 3 });
  known.add('127.0.0.1', 'ann');
  const ann = enter('127.0.0.1');
  for (let n = 2; n < 9; n++) t.ok(enter(`127.0.0.${n}`).entered, `127.0.0.${n}`);
  t.equal(ann.holder.closed, false, 'although it is silent, and older');
  const bob = enter('127.0.0.1');
  t.ok(bob.entered);
  t.same([ann.holder.closed, bob.holder.closed], [false, false]);
});

t.test('a login makes a place count as trusted', async (t) => {
  const { enter } = door({ total: 4, reserve: 2 });
  const [first] = [enter('192.0.2.1', { silent: false }), enter('192.0.2.2', { silent: false })];
  t.notOk(enter('192.0.2.3').entered);
  if (first !== undefined) first.holder.trusted = true;
  t.ok(enter('192.0.2.3').entered);
});

t.test('behind a proxy there are many', async (t) => {
  const { enter } = door({ total: 10, perAddress: 1, isProxy: (address) => address === '192.0.2.1' });
  for (let i = 0; i < 5; i++) t.ok(enter('192.0.2.1', { silent: false }).entered);
});

t.test('known clients', async (t) => {
  const known = new KnownClients();
  known.add('192.0.2.1', 'own');
  t.ok(known.has('192.0.2.1'));
  t.ok(known.has('192.0.2.1', 'own'));
  t.notOk(known.has('192.0.2.1', 'other'), 'of one account only');
  t.notOk(known.has('192.0.2.2', 'own'));
  known.add('2001:db8::1', 'own');
  t.ok(known.has('2001:db8::2'), 'a /64 is one client');
  for (let i = 0; i < 10_000; i++) known.add(`10.0.${i >> 8}.${i & 255}`, 'busy');
  t.ok(known.has('192.0.2.1', 'own'), 'many clients of one account push out none of another');
});
