import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Bus } from '../../src/base/bus.ts';
import { createLogger } from '../../src/base/log.ts';
import type { ModemEvents } from '../../src/modem/status.ts';
import {
  type Delivery,
  type DeliveryEvent,
  type DeliveryOutcome,
  defineModule,
  type GatewayModule,
  type ModemEvent,
  type ModuleDefinition,
} from '../../src/modules/host/contract.ts';
import { ModemWatch } from '../../src/modules/host/modem-watch.ts';
import { newFolder } from '../support/folder.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { ModuleRig } from '../support/module-rig.ts';
import { until } from '../support/outbox-rig.ts';

/** Everything that these tests say of a modem. */
const status = (state: ModemEvents['modem.state']['state'], error?: string): ModemEvents['modem.state'] => ({
  ...{ name: 'gsm0', state, since: 0, device: 'scripted', sent: 0, received: 0, errors: 0, reopened: 0 },
  ...(error !== undefined && { error }),
});

function stage(t: Test, started = true) {
  const clock = new ManualClock();
  const bus = new Bus<ModemEvents>(createLogger({ level: 'error', write: (line) => t.fail(line) }));
  const given: string[] = [];
  const watch = new ModemWatch(bus, clock, (event) => given.push(words(event)));
  if (started) watch.start();
  t.teardown(() => watch.stop());
  const states = async (...steps: (Parameters<typeof status>[0] | number)[]) => {
    for (const step of steps) {
      if (typeof step === 'number') await clock.advance(step * 1000);
      else bus.emit('modem.state', status(step));
    }
    return given.splice(0);
  };
  return { clock, bus, states, start: () => watch.start(), take: () => given.splice(0) };
}

const words = (event: ModemEvent): string =>
  event.event === 'modem.state' ? event.state : `call ${event.number ?? 'hidden'}`;

t.test('a state of a modem is an event once it has lasted', async (t) => {
  const { states } = stage(t);
  t.same(await states('opening', 2, 'probing', 1, 'setting_up', 5, 'registering', 10, 'ready', 60), ['ready']);
  t.same(await states('registering', 20, 'ready', 60), [], 'a network that is back soon');
  t.same(await states('registering', 31), ['registering']);
  t.same(await states('registering', 300), [], 'the same again');
  t.same(await states('ready'), ['ready']);
  t.same(await states('hung', 5, 'opening', 40, 'probing', 1, 'no_sim', 0, 'pin_required'), [
    'opening',
    'no_sim',
    'pin_required',
  ]);
});

t.test('what a modem does before the start is given at the start', async (t) => {
  const { states, start, take } = stage(t, false);
  t.same(await states('opening', 1, 'ready', 5), []);
  start();
  t.same(take(), ['ready']);
  t.same(await states('no_sim'), ['no_sim']);
});

t.test('a modem that comes and goes all day makes few events', async (t) => {
  const { states } = stage(t);
  let count = 0;
  for (let minute = 0; minute < 1440; minute++) count += (await states('registering', 31, 'ready', 29)).length;
  t.ok(count >= 2 && count <= 24 * 21, `${count} events`);
  t.same(await states('registering', 601), ['registering'], 'what lasts is known at last');
});

t.test('each call is an event, up to a number an hour', async (t) => {
  const { bus, clock, take } = stage(t);
  bus.emit('call.incoming', { modem: 'gsm0', number: '+37060000001' });
  bus.emit('call.incoming', { modem: 'gsm0' });
  t.same(take(), ['call +37060000001', 'call hidden']);
  for (let count = 0; count < 500; count++) bus.emit('call.incoming', { modem: 'gsm0' });
  t.equal(take().length, 118);
  await clock.advance(3_601_000);
  bus.emit('call.incoming', { modem: 'gsm0' });
  t.equal(take().length, 1);
});

/** A module that wants events of modems, or not, and what it was given. */
class Taker {
  readonly got: string[] = [];
  wants = true;
  answer: () => DeliveryOutcome = () => ({ type: 'done' });

  get definition(): ModuleDefinition {
    const taker = this;
    return defineModule({
      ...{ name: 'taker', sections: ['auto_reply'] },
      config: (config) => config.auto_reply,
      enabled: (config) => config.enabled,
      load: async () =>
        class implements GatewayModule {
          async start(): Promise<void> {}
          async stop(): Promise<void> {}
          deliveriesFor(event: DeliveryEvent) {
            return event.kind === 'modem' && taker.wants ? [{ target: 'x', note: words(event.modemEvent) }] : [];
          }
          async deliver(delivery: Delivery) {
            const outcome = taker.answer();
            const what = delivery.kind === 'message' ? 'a message' : `${delivery.kind} ${delivery.note}`;
            taker.got.push(`${what} after ${delivery.attempts}: ${outcome.type}`);
            return outcome;
          }
        },
    });
  }
}

const config = "config status 'auto_reply'\n\toption enabled '1'\n\toption msg 'x'\n";

t.test('deliveries of modem events outlive a crash', async (t) => {
  const taker = new Taker();
  taker.answer = () => ({ type: 'retry', reason: 'not yet' });
  const rig = await ModuleRig.open(newFolder(t), { config, definitions: [taker.definition] });
  rig.bus.emit('call.incoming', { modem: 'gsm0', number: '1' });
  rig.bus.emit('call.incoming', { modem: 'gsm0', number: '2' });
  await until(() => rig.store.deliveries.pending('taker') === 2 && taker.got.length === 1, 'both are stored');
  await until(() => rig.log.some((line) => /an event to x failed, again in/.test(line)), 'the failure is stored');
  taker.answer = () => ({ type: 'done' });
  const after = await rig.crash();
  t.teardown(() => after.close());
  await after.clock.advance(60_000);
  await until(() => after.store.deliveries.pending('taker') === 0, 'both are made');
  t.same(taker.got, ['modem call 1 after 0: retry', 'modem call 1 after 1: done', 'modem call 2 after 0: done']);
});

t.test('what nobody wants is not written, and what waits is bounded', async (t) => {
  const taker = new Taker();
  taker.wants = false;
  const folder = newFolder(t);
  const rig = await ModuleRig.open(folder, { config, definitions: [taker.definition] });
  t.teardown(() => rig.close());
  const size = () => readFileSync(join(folder, 'state/journal')).length;
  const before = size();
  for (let count = 0; count < 50; count++) rig.bus.emit('call.incoming', { modem: 'gsm0' });
  await rig.receive('+37060000001', 'a message behind them');
  await rig.handled('taker');
  t.notOk(readFileSync(join(folder, 'state/journal'), 'utf8').includes('"taker"'));
  t.ok(size() - before < 1000);

  taker.wants = true;
  taker.answer = () => ({ type: 'waiting', reason: 'nobody there' });
  for (let modem = 0; modem < 10; modem++) {
    for (let count = 0; count < 100; count++) rig.bus.emit('call.incoming', { modem: `gsm${modem}` });
  }
  await until(() => rig.log.some((line) => line.includes('an event is dropped')), 'too many');
  t.equal(rig.store.deliveries.pending('taker'), 200);
});
