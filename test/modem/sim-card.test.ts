import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { filePinMemory, processPinMemory } from '../../src/modem/pin-memory.ts';
import type { SimulatorOptions } from '../../src/simulator/index.ts';
import { testFolder } from '../support/folder.ts';
import { byHand, SessionBench } from './support/session-bench.ts';

const LONG = 7_200_000;

interface Card {
  readonly simulator?: SimulatorOptions;
  readonly pin?: string;
}

function benchOf(card: Card): SessionBench {
  return new SessionBench({
    simulator: { pin: '1234', ...card.simulator },
    config: card.pin === undefined ? {} : { pin: card.pin },
  });
}

/** A session that has had two hours to make something of its SIM. */
async function after(card: Card): Promise<SessionBench> {
  const bench = benchOf(card);
  bench.session.start();
  await bench.until(() => bench.session.status().error !== undefined);
  await bench.clock.advance(LONG);
  return bench;
}

const triesLeft = async (bench: SessionBench) =>
  /SIM PIN,(\d)/.exec(await byHand(bench.modem, bench.clock, 'AT+CPINR\r'))?.[1];

t.test('the right PIN', async (t) => {
  const bench = await benchOf({ pin: '1234' }).ready();
  t.equal(bench.session.status().state, 'ready');
  t.notOk(
    bench.log.some((text) => text.includes('1234')),
    'the PIN is not in the log',
  );
  await bench.stop();
});

t.test('a wrong PIN is tried once', async (t) => {
  const bench = await after({ pin: '9999' });
  t.match(bench.session.status(), { state: 'pin_wrong', error: /refused/ });
  bench.session.restart();
  await bench.clock.advance(LONG);
  t.equal(bench.session.status().state, 'pin_wrong');
  t.notOk(JSON.stringify([bench.session.status(), bench.log]).includes('9999'), 'the PIN shows nowhere');
  t.equal(await triesLeft(bench), '2');
  await bench.stop();
});

t.test('not again after a restart of the service, but a changed option is', async (t) => {
  const directory = testFolder(t);
  const pinMemory = filePinMemory(directory);
  const first = new SessionBench({ simulator: { pin: '1234' }, config: { pin: '9999' }, session: { pinMemory } });
  first.session.start();
  await first.untilWritten(() => first.session.status().state === 'pin_wrong');
  await first.stop();
  t.match(await pinMemory.tried('gsm0', '9999'), true);
  const file = join(directory, readdirSync(directory)[0] ?? '');
  t.equal(statSync(file).mode & 0o777, 0o600);
  t.notOk(readFileSync(file, 'utf8').includes('9999'));

  const again = new SessionBench({ simulator: { pin: '1234' }, config: { pin: '9999' }, session: { pinMemory } });
  await byHand(again.modem, again.clock, 'AT+CPIN="0000"\r');
  again.session.start();
  await again.untilWritten(() => again.session.status().state === 'pin_wrong');
  t.equal(again.session.status().state, 'pin_wrong');
  t.equal(await triesLeft(again), '2', 'the same PIN, two tries left: not tried');
  await again.stop();

  const changed = new SessionBench({ simulator: { pin: '1234' }, config: { pin: '1234' }, session: { pinMemory } });
  await byHand(changed.modem, changed.clock, 'AT+CPIN="0000"\r');
  changed.session.start();
  await changed.untilWritten(() => changed.session.ready);
  t.same(readdirSync(directory), [], 'the note goes when a PIN was accepted');
  await changed.stop();
});

t.test('the last try is never used up', async (t) => {
  const bench = new SessionBench({ simulator: { pin: '1234' }, config: { pin: '1234' } });
  await byHand(bench.modem, bench.clock, 'AT+CPIN="0000"\r', 'AT+CPIN="0001"\r');
  bench.session.start();
  await bench.clock.advance(LONG);
  t.match(bench.session.status(), { state: 'pin_wrong', error: /one PIN try is left/ });
  t.equal(await triesLeft(bench), '1');
  await bench.stop();
});

t.test('a try that cannot be noted is not made', async (t) => {
  const pinMemory = filePinMemory(join(testFolder(t), 'missing'));
  const bench = new SessionBench({ simulator: { pin: '1234' }, config: { pin: '1234' }, session: { pinMemory } });
  bench.session.start();
  await bench.untilWritten(() => bench.session.status().state === 'pin_required');
  t.match(bench.session.status(), { state: 'pin_required', error: /cannot be noted/ });
  t.equal(await triesLeft(bench), '3');
  await bench.stop();
});

t.test('what the SIM waits for is said', async (t) => {
  const table: readonly (readonly [string, Card, object])[] = [
    ['no option', {}, { state: 'pin_required', error: /option pin is not set/ }],
    ['no SIM', { simulator: { sim: false } }, { state: 'no_sim', error: 'there is no SIM' }],
  ];
  for (const [name, card, status] of table) {
    const bench = await after(card);
    t.match(bench.session.status(), status, name);
    t.ok(bench.log.length < 5, 'and not logged over and over');
    await bench.stop();
  }
  const blocked = new SessionBench({ simulator: { pin: '1234' }, config: { pin: '1234' } });
  await byHand(blocked.modem, blocked.clock, ...['0', '1', '2'].map((n) => `AT+CPIN="000${n}"\r`));
  blocked.session.start();
  await blocked.clock.advance(LONG);
  t.match(blocked.session.status(), { state: 'puk_required', error: /PUK/ });
  await blocked.stop();
});

t.test('a SIM that is unlocked by hand is found', async (t) => {
  const bench = await after({});
  t.equal(bench.session.status().state, 'pin_required');
  await byHand(bench.modem, bench.clock, 'AT+CPIN="1234"\r');
  await bench.until(() => bench.session.ready);
  await bench.stop();
});

t.test('after a reset the accepted PIN is given again', async (t) => {
  const bench = await benchOf({ pin: '1234' }).ready();
  for (let i = 0; i < 5; i++) {
    const { epoch } = bench.session;
    bench.modem.faults.add({ type: 'reboot', ms: 3_000 });
    await bench.until(() => bench.session.epoch > epoch && bench.session.ready);
  }
  t.equal(await triesLeft(bench), '3');
  await bench.stop();
});

t.test('the memory of the process', async (t) => {
  const memory = processPinMemory();
  await memory.note('a', '1111');
  t.equal(await memory.tried('a', '1111'), true);
  t.equal(await memory.tried('a', '2222'), false);
  t.equal(await memory.tried('b', '1111'), false);
  await memory.clear('a');
  t.equal(await memory.tried('a', '1111'), false);
});
