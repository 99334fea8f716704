import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { GatewayError } from '../../src/base/errors.ts';
import type { PhoneNumber } from '../../src/base/phone-number.ts';
import { type FileSystem, nodeFileSystem } from '../../src/store/journal/file-system.ts';
import { type Content, MAX_MESSAGE_ID, type MessageId } from '../../src/store/message.ts';
import { testFolder } from '../support/folder.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { numberOf, OutboxRig, pass, policy, type RigOptions, until } from '../support/outbox-rig.ts';
import { refused, rejected, ScriptedSender } from '../support/scripted-sender.ts';

const DAY = 24 * 3600_000;

async function rigFor(t: Test, options: RigOptions = {}): Promise<OutboxRig> {
  const rig = await OutboxRig.open(testFolder(t), options);
  t.teardown(() => rig.close());
  return rig;
}

async function crashed(t: Test, rig: OutboxRig, options?: RigOptions): Promise<OutboxRig> {
  const next = await rig.crash(options);
  t.teardown(() => next.close());
  return next;
}

const data = (fields: Partial<Extract<Content, { type: 'data' }>>): Content => ({
  type: 'data',
  dcs: 4,
  data: '00',
  ...fields,
});

t.test('a message goes from queued over sent to delivered', async (t) => {
  const rig = await rigFor(t);
  const message = await rig.submit(1, 'hello', { report: true });
  t.match(message, { id: 1, state: 'queued', parts: 1, encoding: 'gsm7', text: 'hello', attempts: 0 });
  t.strictSame(await rig.get(message.id), message, 'the answer is what the store has');
  const sender = rig.attach(new ScriptedSender());
  const sent = await rig.settled(message.id);
  t.match(sent, { state: 'sent', modem: 'gsm0', partStates: [{ state: 'sent', mr: 0 }], attempts: 1 });
  t.strictSame(sender.texts, ['hello']);
  await rig.outbox.report({ modem: 'gsm0', mr: 0, number: '860000001', status: 0, discharged: 0 });
  t.match(await rig.get(message.id), { state: 'delivered', partStates: [{ state: 'delivered' }] });
  await until(() => rig.events.length === 2, 'it is announced');
  t.strictSame(rig.events, ['sent 1', 'delivered 1']);
});

t.test('what is submitted is looked through', async (t) => {
  const rig = await rigFor(t, { policy: { queueLimit: 2 } });
  const text = (text: string): Content => ({ type: 'text', text });
  const cases: readonly (readonly [string, Parameters<OutboxRig['submit']>[2], string])[] = [
    ['empty text', { content: text('') }, 'invalid_text'],
    ['256 parts', { content: text('a'.repeat(255 * 153 + 1)) }, 'text_too_long'],
    ['two million characters', { content: text('a'.repeat(2_000_000)) }, 'text_too_long'],
    ['odd hex', { content: data({ data: '0' }) }, 'invalid_text'],
    ['septet above 127', { content: data({ dcs: 0, data: '80' }) }, 'invalid_text'],
    ['half a UCS2 unit', { content: data({ dcs: 8, data: '00' }) }, 'invalid_text'],
    ['a megabyte of data', { content: data({ data: '00'.repeat(1_000_000) }) }, 'text_too_long'],
    ['broken header', { content: data({ udh: '0003' }) }, 'invalid_text'],
    ['header and two parts', { content: data({ udh: '0003010201', data: '00'.repeat(135) }) }, 'text_too_long'],
    ['number with decoration', { number: '+370 600 00001' as PhoneNumber }, 'invalid_number'],
    ['no number', { number: 'Bank' as PhoneNumber }, 'invalid_number'],
    ['long reference', { clientRef: 'x'.repeat(256) }, 'invalid_argument'],
    ['no validity', { validity: 0 }, 'invalid_argument'],
    ['validity that is no number', { validity: Number.NaN }, 'invalid_argument'],
    ['time that is no number', { notBefore: Number.NaN }, 'invalid_argument'],
    ['priority', { priority: 4 as 3 }, 'invalid_argument'],
  ];
  for (const [name, request, code] of cases) await t.rejects(rig.submit(1, 'x', request), { code }, name);
  t.equal(rig.outbox.counts().queued, 0);

  t.match(await rig.submit(1, 'a'.repeat(255 * 153)), { parts: 255 }, '255 parts pass');
  t.match(await rig.submit(1, '', { content: data({ udh: '0003010201', data: '00'.repeat(134) }) }), {
    parts: 1,
    encoding: '8bit',
    text: '',
  });
  await t.rejects(rig.submit(1, 'x'), { code: 'queue_full' });
  await rig.outbox.cancel(1 as MessageId).catch(() => undefined);
  const all = await rig.outbox.list({ limit: 10 });
  await rig.outbox.cancel(all.messages[0]?.id ?? (0 as MessageId));
  t.match(await rig.submit(1, 'x'), { state: 'queued' }, 'room again');
});

t.test('the queue limit holds for submits at once', async (t) => {
  const rig = await rigFor(t, { policy: { queueLimit: 5 } });
  const results = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => rig.submit(i, 'x')));
  t.equal(results.filter(({ status }) => status === 'fulfilled').length, 5);
  t.equal(rig.outbox.counts().queued, 5);
});

t.test('transliteration and national tables are fixed at the submit', async (t) => {
  const rig = await rigFor(t, { policy: { transliterate: true, nationalTables: [1] } });
  const long = `“${'ş'.repeat(100)}”`;
  const message = await rig.submit(1, long);
  t.equal(message.encoding, 'gsm7');
  t.match(await rig.submit(1, long, { transliterate: false }), { encoding: 'ucs2' });
  const next = await crashed(t, rig, { policy: { transliterate: false, nationalTables: [] } });
  const sender = next.attach(new ScriptedSender());
  t.match(await next.settled(message.id), { state: 'sent', parts: 1 });
  t.equal(sender.given[0]?.part.dcs, 0);
});

t.test('one sync serves a hundred submits', async (t) => {
  let syncs = 0;
  const fileSystem: FileSystem = {
    ...nodeFileSystem,
    async open(path, mode) {
      const file = await nodeFileSystem.open(path, mode);
      return {
        ...file,
        writeThrough(buffer, position) {
          syncs += 1;
          return file.writeThrough(buffer, position);
        },
        datasync() {
          syncs += 1;
          return file.datasync();
        },
      };
    },
  };
  const rig = await rigFor(t, { fileSystem });
  syncs = 0;
  const messages = await Promise.all(Array.from({ length: 100 }, (_, i) => rig.submit(i, `text ${i}`)));
  t.equal(new Set(messages.map(({ id }) => id)).size, 100);
  t.ok(syncs <= 3, `${syncs} syncs`);
});

t.test('client references', async (t) => {
  const clock = new ManualClock();
  let rig = await rigFor(t, { clock, policy: { keepCount: 0 }, compactFrom: 1 });
  const submit = (ref: string, source = 'rpc') => rig.submit(1, 'x', { clientRef: ref, source });
  const together = await Promise.all([submit('a'), submit('a'), submit('b')]);
  t.strictSame(
    together.map(({ id }) => id),
    [1, 1, 2],
    'also while the first is being stored',
  );
  t.not((await submit('a', 'cgi')).id, 1, 'of each source');
  rig.attach(new ScriptedSender());
  await until(() => rig.outbox.counts().queued + rig.outbox.counts().sending === 0, 'all are sent');
  t.equal(await rig.outbox.get(1 as MessageId), undefined, 'left the outbox');
  t.match(await submit('a'), { id: 1, state: 'sent' }, 'and is remembered');
  rig = await crashed(t, rig);
  t.match(await submit('a'), { id: 1, state: 'sent' }, 'over a restart');
  for (let i = 0; i < 50; i++) await rig.outbox.cancel((await rig.submit(2, 'x'.repeat(100))).id);
  await until(() => Number(rig.journal.status().compactions) > 0, 'it is compacted');
  rig = await crashed(t, rig);
  t.match(await submit('a'), { id: 1, state: 'sent' }, 'over a compaction');
  await clock.advance(DAY);
  const later = await submit('a');
  t.ok(later.id > 1, 'a day later it is new');
  t.equal((await submit('a')).id, later.id);
  rig = await crashed(t, rig);
  t.equal((await submit('a')).id, later.id, 'and the newer one counts');
});

t.test('a deleted message is remembered for its client reference', async (t) => {
  let rig = await rigFor(t);
  const { id } = await rig.submit(1, 'x', { clientRef: 'a' });
  await rig.outbox.cancel(id);
  t.equal(await rig.outbox.delete(id), true);
  t.equal(await rig.outbox.get(id), undefined);
  t.equal(rig.outbox.counts().cancelled, 0);
  rig = await crashed(t, rig);
  t.equal(await rig.outbox.get(id), undefined);
  t.match(await rig.submit(1, 'x', { clientRef: 'a' }), { id, state: 'cancelled' });
});

t.test('an identical request joins the one that waits', async (t) => {
  let rig = await rigFor(t);
  const submit = () => rig.submit(1, 'x', { joinKey: 'the whole request' });
  const [first, second] = await Promise.all([submit(), submit()]);
  t.equal(first.id, second.id);
  rig = await crashed(t, rig);
  t.equal((await submit()).id, first.id, 'over a restart');
  rig.attach(new ScriptedSender());
  t.match(await rig.settled(first.id), { state: 'sent' });
  t.not((await submit()).id, first.id, 'but no more when it is sent');
});

t.test('cancel', async (t) => {
  const rig = await rigFor(t);
  const { id } = await rig.submit(1, 'x', { notBefore: rig.clock.now() + 1000 });
  t.match(await rig.outbox.cancel(id), { state: 'cancelled' });
  await t.rejects(rig.outbox.cancel(id), { code: 'wrong_state' });
  await t.rejects(rig.outbox.cancel(99 as MessageId), { code: 'message_not_found' });
  const sender = rig.attach(new ScriptedSender());
  const release = sender.block();
  const long = await rig.submit(1, 'a'.repeat(200));
  await until(() => sender.given.length === 1, 'it is in hand');
  await t.rejects(rig.outbox.cancel(long.id), { code: 'wrong_state' }, 'in hand');
  await t.rejects(rig.outbox.delete(long.id), { code: 'wrong_state' });
  sender.will(() => rejected(42));
  release();
  await until(() => sender.given.length === 2, 'the second part is rejected');
  await t.rejects(rig.outbox.cancel(long.id), { code: 'wrong_state' }, 'half of it is sent');
  await rig.clock.advance(10_000);
  t.match(await rig.settled(long.id), { state: 'sent' });
  t.strictSame(rig.events, ['sent 2'], 'a cancelled message is no event');
});

t.test('replace', async (t) => {
  let rig = await rigFor(t);
  const { id } = await rig.submit(1, 'old', { notBefore: rig.clock.now() + 1000, clientRef: 'r' });
  const replaced = await rig.outbox.replace(id, { type: 'text', text: 'n'.repeat(161) }, { report: true });
  t.match(replaced, { id, parts: 2, report: true, clientRef: 'r', notBefore: rig.clock.now() + 1000 });
  await t.rejects(rig.outbox.replace(id, { type: 'text', text: '' }), { code: 'invalid_text' });
  t.match(await rig.get(id), { state: 'queued', parts: 2 }, 'a bad one changes nothing');
  rig = await crashed(t, rig);
  await rig.outbox.replace(id, { type: 'text', text: 'new' }, { notBefore: rig.clock.now(), validity: 60 });
  const sender = rig.attach(new ScriptedSender());
  t.match(await rig.settled(id), { text: 'new', expires: rig.clock.now() + 60_000 });
  const later = await rig.submit(2, 'x', { notBefore: rig.clock.now() + 1000, validity: 10 });
  await rig.outbox.replace(later.id, { type: 'text', text: 'x' }, { notBefore: rig.clock.now() + 50_000 });
  t.match(await rig.get(later.id), { expires: rig.clock.now() + 60_000 }, 'a new time keeps the validity');
  t.strictSame(sender.texts, ['new']);
  await t.rejects(rig.outbox.replace(id, { type: 'text', text: 'late' }), { code: 'wrong_state' });
});

t.test('retry and delete by hand', async (t) => {
  const rig = await rigFor(t);
  const sender = rig.attach(new ScriptedSender().will(() => sender.accept(), refused));
  const { id } = await rig.submit(1, `${'a'.repeat(153)}${'b'.repeat(100)}`);
  t.match(await rig.settled(id), { state: 'failed', error: /unassigned number \(cause 1\)/ });
  const [retried, again] = await Promise.allSettled([rig.outbox.retry(id), rig.outbox.retry(id)]);
  t.match(retried, { status: 'fulfilled', value: { state: 'sending' } });
  t.match(again, { status: 'rejected', reason: { code: 'wrong_state' } });
  t.match(await rig.settled(id), { state: 'sent', attempts: 3 });
  t.equal(sender.given.length, 3, 'only the part that was not sent');
  await t.rejects(rig.outbox.retry(id), { code: 'wrong_state' });
  t.equal(await rig.outbox.delete(id), true);
  t.equal(await rig.outbox.delete(id), false);
  await t.rejects(rig.outbox.retry(id), { code: 'message_not_found' });
});

t.test('settled waits, and ends with its signal and with the outbox', async (t) => {
  const rig = await rigFor(t);
  const { id } = await rig.submit(1, 'x');
  const abort = new AbortController();
  const waiting = rig.outbox.settled(id, abort.signal);
  abort.abort(new GatewayError('timeout', 'gone'));
  await t.rejects(waiting, { code: 'timeout' });
  await t.rejects(rig.outbox.settled(id, abort.signal), { code: 'timeout' });
  await t.rejects(rig.settled(MAX_MESSAGE_ID as MessageId), { code: 'message_not_found' });
  const both = Promise.all([rig.settled(id), rig.settled(id)]);
  await rig.outbox.cancel(id);
  t.match(await both, [{ state: 'cancelled' }, { state: 'cancelled' }]);
  const other = await rig.submit(1, 'x');
  const late = t.rejects(rig.settled(other.id), { code: 'stopping' });
  await rig.close();
  await late;
  await t.rejects(rig.submit(1, 'x'), { code: 'stopping' });
  await t.rejects(rig.settled(other.id), { code: 'stopping' });
  t.equal(rig.clock.pending, 0, 'no timer is left');
});

t.test('list', async (t) => {
  const rig = await rigFor(t);
  for (let i = 1; i <= 9; i++) {
    await rig.submit(i % 3, `Text ${i} ä`, { priority: 0 });
    await rig.clock.advance(1000);
  }
  await rig.outbox.cancel(2 as MessageId);
  await rig.outbox.cancel(6 as MessageId);
  const ids = async (query: Partial<Parameters<OutboxRig['outbox']['list']>[0]>) => {
    const page = await rig.outbox.list({ limit: 100, ...query });
    return [...page.messages.map(({ id }) => id), ...(page.more ? ['more'] : [])];
  };
  t.strictSame(await ids({}), [1, 2, 3, 4, 5, 6, 7, 8, 9], 'one order over waiting and finished ones');
  t.strictSame(await ids({ limit: 4 }), [1, 2, 3, 4, 'more']);
  t.strictSame(await ids({ limit: 4, after: 4 as MessageId }), [5, 6, 7, 8, 'more']);
  t.strictSame(await ids({ limit: 4, after: 5 as MessageId }), [6, 7, 8, 9]);
  t.strictSame(await ids({ after: 9 as MessageId }), []);
  t.strictSame(await ids({ state: 'cancelled' }), [2, 6]);
  t.strictSame(await ids({ number: '860000001' }), [1, 4, 7], 'national form');
  t.strictSame(await ids({ text: 'TEXT 7 Ä' }), [7]);
  t.strictSame(await ids({ since: rig.clock.now() - 2000 }), [8, 9]);
  t.match(rig.outbox.counts(), { queued: 7, cancelled: 2, sent: 0 });
});

t.test('finished messages leave by age and by number', async (t) => {
  const clock = new ManualClock();
  let rig = await rigFor(t, { clock, policy: { keepDays: 2, keepCount: 3 } });
  rig.attach(new ScriptedSender());
  const left = async () => (await rig.outbox.list({ limit: 100 })).messages.map(({ id }) => id);
  for (let i = 0; i < 5; i++) await rig.settled((await rig.submit(i, 'x')).id);
  t.strictSame(await left(), [3, 4, 5]);
  rig = await crashed(t, rig);
  t.strictSame(await left(), [3, 4, 5], 'no record is needed for that');
  await clock.advance(2 * DAY + 1);
  rig.attach(new ScriptedSender());
  await rig.settled((await rig.submit(1, 'x')).id);
  t.strictSame(await left(), [6]);
  rig.outbox.configure({ ...policy, keepCount: 0 });
  t.strictSame(await left(), []);
  t.match(rig.outbox.counts(), { sent: 0 });
});

t.test('compaction keeps every state', async (t) => {
  let rig = await rigFor(t, { compactFrom: 1, policy: { queueLimit: 1000 } });
  const sender = rig.attach(new ScriptedSender().will(refused));
  const failed = await rig.submit(1, 'failed');
  await rig.settled(failed.id);
  const sent = await rig.submit(2, 's'.repeat(300), { report: true, priority: 2, source: 'x', batch: failed.id });
  await rig.settled(sent.id);
  await rig.outbox.report({ modem: 'gsm0', mr: 0, number: numberOf(2), status: 0, discharged: 0 });
  sender.ready = false;
  const waiting = await rig.submit(3, 'w', { modem: 'gsm7', notBefore: rig.clock.now() + 5000 });
  const before = await Promise.all([failed, sent, waiting].map(({ id }) => rig.get(id)));
  for (let i = 0; i < 100; i++) {
    const { id } = await rig.submit(4, 'x'.repeat(100));
    await rig.outbox.cancel(id);
    await rig.outbox.delete(id);
  }
  await until(() => Number(rig.journal.status().compactions) > 0, 'it is compacted');
  t.strictSame(await Promise.all([failed, sent, waiting].map(({ id }) => rig.get(id))), before, 'in memory');
  rig = await crashed(t, rig);
  t.strictSame(await Promise.all([failed, sent, waiting].map(({ id }) => rig.get(id))), before, 'after a restart');
  await rig.outbox.report({ modem: 'gsm0', mr: 1, number: numberOf(2), status: 0, discharged: 0 });
  t.equal(await rig.state(sent.id), 'delivered');
});

t.test('the wall clock', async (t) => {
  await t.test('is set forward by years: nothing expires', async (t) => {
    const clock = new ManualClock(0);
    let rig = await rigFor(t, { clock });
    const { id } = await rig.submit(1, 'x', { validity: 3600 });
    clock.step(56 * 365 * DAY);
    await clock.advance(61_000);
    await until(async () => (await rig.get(id)).time === 56 * 365 * DAY, 'the step is seen');
    await clock.advance(1000);
    t.match(await rig.get(id), { state: 'queued', expires: 56 * 365 * DAY + 3600_000 });
    rig = await crashed(t, rig);
    rig.attach(new ScriptedSender());
    t.match(await rig.settled(id), { state: 'sent' });
  });
  await t.test('is set forward over the time of a scheduled message', async (t) => {
    const rig = await rigFor(t);
    const { id } = await rig.submit(1, 'x', { notBefore: rig.clock.now() + 10 * DAY });
    rig.attach(new ScriptedSender());
    rig.clock.step(11 * DAY);
    await rig.clock.advance(61_000);
    t.match(await rig.settled(id), { state: 'sent' });
  });
  await t.test('is set back: pauses by the monotonic clock go on', async (t) => {
    const rig = await rigFor(t);
    const sender = rig.attach(new ScriptedSender().will(rejected(42)));
    const { id } = await rig.submit(1, 'x');
    await until(() => sender.given.length === 1 && rig.outbox.counts().queued === 1, 'it was rejected');
    rig.clock.step(-20 * 365 * DAY);
    await rig.clock.advance(5_100);
    t.match(await rig.settled(id), { state: 'sent' });
  });
});

t.test('a store that does not take records', async (t) => {
  let broken = false;
  const fileSystem: FileSystem = {
    ...nodeFileSystem,
    async open(path, mode) {
      if (broken && mode === 'create') throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
      const file = await nodeFileSystem.open(path, mode);
      return {
        ...file,
        async writeThrough(buffer, position) {
          if (broken) throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
          return file.writeThrough(buffer, position);
        },
      };
    },
  };
  const rig = await rigFor(t, { fileSystem });
  const sender = rig.attach(new ScriptedSender());
  const release = sender.block();
  const first = await rig.submit(1, 'first');
  const second = await rig.submit(2, 'second');
  await until(() => sender.given.length === 1, 'the first is in hand');
  broken = true;
  await t.rejects(rig.submit(3, 'third'), { code: 'store_full' });
  await t.rejects(rig.outbox.cancel(second.id), { code: 'store_full' });
  t.equal(await rig.state(second.id), 'queued', 'what could not be stored has not happened');
  release();
  await until(() => rig.log.some((line) => line.includes('sending waits for the store')), 'the outcome waits');
  t.equal(sender.given.length, 1, 'nothing more is sent');
  await rig.clock.advance(3_000);
  t.equal(rig.log.filter((line) => line.includes('sending waits for the store')).length, 1, 'logged once');
  t.equal(await rig.state(first.id), 'sending');
  broken = false;
  await pass(rig.clock, 1000, () => sender.given.length === 2, 'the store takes records again');
  t.match(await rig.settled(first.id), { state: 'sent', partStates: [{ mr: 0 }] });
  t.match(await rig.settled(second.id), { state: 'sent' });
  t.match(await rig.submit(3, 'third'), { text: 'third' });
});

t.test('delivery reports as the modem has it, unless the submitter says otherwise', async (t) => {
  const rig = await rigFor(t);
  const sender = new ScriptedSender();
  rig.outbox.attach(sender, { interval: 0, daily: 0, reports: true });
  const asked = await rig.submit(1, 'nothing said');
  await rig.submit(2, 'declined', { report: false });
  await until(() => sender.given.length === 2, 'both are sent');
  t.same(
    sender.given.map(({ part }) => part.report),
    [true, false],
  );
  await until(async () => (await rig.outbox.get(asked.id))?.state === 'sent', 'it is sent');
  const mr = (await rig.outbox.get(asked.id))?.partStates[0]?.mr ?? -1;
  await rig.outbox.report({ modem: sender.name, mr, number: asked.number, status: 0, discharged: 0 });
  t.equal((await rig.outbox.get(asked.id))?.state, 'delivered');
});

t.test('which message waits longest goes by when it was due', async (t) => {
  const clock = new ManualClock(Date.UTC(2026, 0, 31));
  const rig = await rigFor(t, { clock });
  t.equal(await rig.outbox.longestWaiting(), undefined);
  const later = await rig.submit(1, 'later', { notBefore: clock.now() + DAY });
  t.match(await rig.outbox.longestWaiting(), { id: later.id }, 'none is due: the next');
  await clock.advance(1000);
  const stuck = await rig.submit(2, 'stuck');
  t.match(await rig.outbox.longestWaiting(), { id: stuck.id }, 'the older one is not due');
  await clock.advance(1000);
  await rig.submit(3, 'young');
  t.match(await rig.outbox.longestWaiting(), { id: stuck.id });
});

t.test('a message whose record is damaged hides no others in the list', async (t) => {
  const rig = await rigFor(t);
  for (const text of ['first', 'second', 'third']) await rig.submit(1, text);
  // Those that came last are in memory.
  for (let n = 0; n < 64; n++) await rig.submit(2, `later ${n}`);
  const path = join(rig.directory, 'journal');
  const file = readFileSync(path);
  file.write('X', file.indexOf('second'));
  writeFileSync(path, file);
  const { messages } = await rig.outbox.list({ limit: 3 });
  t.match(messages, [{ text: 'first' }, { text: '<undecodable>', state: 'queued' }, { text: 'third' }]);
});

t.test('a message in memory is shown with the content that it was given last', async (t) => {
  const rig = await rigFor(t);
  const { id } = await rig.submit(1, 'first');
  for (const text of ['second', 'x'.repeat(2_001), 'third']) {
    await rig.outbox.replace(id, { type: 'text', text });
    t.match(await rig.outbox.get(id), { text, parts: text.length > 160 ? 14 : 1 });
  }
});
