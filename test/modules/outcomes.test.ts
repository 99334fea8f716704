import t, { type Test } from 'tap';
import type {
  Delivery,
  DeliveryEvent,
  DeliveryOutcome,
  GatewayModule,
  ModuleContext,
} from '../../src/modules/host/contract.ts';
import { defineModule, type ModuleDefinition } from '../../src/modules/host/contract.ts';
import { testFolder } from '../support/folder.ts';
import { ModuleRig, type ModuleRigOptions } from '../support/module-rig.ts';
import { numberOf, until } from '../support/outbox-rig.ts';
import { refused } from '../support/scripted-sender.ts';

/** A module that wants a receipt for every outcome of messages tagged `receipt`, and does with what it gets as `answer` says. */
class Listener {
  readonly asked: string[] = [];
  readonly told: string[] = [];
  /** How many receipts it wants of each. */
  times = 1;
  answer: (what: string) => DeliveryOutcome | Promise<DeliveryOutcome> = () => ({ type: 'done' });
  context: ModuleContext<unknown> | undefined;

  get definition(): ModuleDefinition {
    const listener = this;
    return defineModule({
      name: 'listener',
      sections: ['auto_reply'],
      config: (config) => config.auto_reply,
      enabled: (config) => config.enabled,
      load: async () =>
        class implements GatewayModule {
          constructor(context: ModuleContext<unknown>) {
            listener.context = context;
          }

          async start(): Promise<void> {}
          async stop(): Promise<void> {}
          deliver = async (delivery: Delivery) =>
            listener.#take(delivery.kind === 'message' ? delivery.message.text : delivery.note);

          deliveriesFor(event: DeliveryEvent) {
            if (event.kind === 'modem') return [];
            if (event.kind === 'message') return [{ target: 'x' }];
            const { id, state, tag } = event.message;
            listener.asked.push(`${id} ${state}`);
            const receipt = { target: 'x', note: `${id} ${state}` };
            return tag === 'receipt' ? Array.from({ length: listener.times }, () => receipt) : [];
          }
        },
    });
  }

  #take(what: string): DeliveryOutcome | Promise<DeliveryOutcome> {
    this.told.push(what);
    return this.answer(what);
  }
}

const config = "config status 'auto_reply'\n\toption enabled '1'\n\toption msg 'x'\n";

async function open(t: Test, listener: Listener, options: Partial<ModuleRigOptions> = {}): Promise<ModuleRig> {
  const rig = await ModuleRig.open(testFolder(t), { config, definitions: [listener.definition], ...options });
  t.teardown(() => rig.close());
  return rig;
}

const submit = (rig: ModuleRig, n: number, tag = 'receipt') =>
  rig.store.outbox.submit({
    ...{ number: numberOf(n), source: 'test', tag, report: true },
    content: { type: 'text', text: `text ${n}` },
  });
const report = (rig: ModuleRig, mr: number, n: number) =>
  rig.store.outbox.report({ modem: 'gsm0', mr, number: numberOf(n), status: 0, discharged: 0 });
const waiting: DeliveryOutcome = { type: 'waiting', reason: 'nobody is there' };
const pending = (rig: ModuleRig) => rig.store.deliveries.pending('listener');

t.test('each outcome of a message is told once, in one queue with what is received', async (t) => {
  const listener = new Listener();
  const rig = await open(t, listener);
  await submit(rig, 1);
  await until(() => listener.told.length === 1, 'it is sent');
  await rig.receive('+37060000009', 'hello');
  await until(() => listener.told.length === 2, 'one is received');
  await report(rig, 0, 1);
  rig.modem.will(refused);
  await until(() => listener.told.length === 3, 'it is delivered');
  await submit(rig, 2);
  await until(() => listener.told.length === 4, 'one fails');
  const { id } = await rig.store.outbox.submit({
    ...{ number: numberOf(3), source: 'test', tag: 'receipt', notBefore: rig.clock.now() + 60_000 },
    content: { type: 'text', text: 'later' },
  });
  await rig.store.outbox.cancel(id);
  await until(() => listener.told.length === 5, 'one is cancelled');
  t.strictSame(listener.told, ['1 sent', 'hello', '1 delivered', '3 failed', '4 cancelled']);
  await rig.handled('listener');
});

t.test('what nobody wants costs no record of its own', async (t) => {
  const listener = new Listener();
  const rig = await open(t, listener);
  const before = Number(rig.store.status().journal && (rig.store.status().journal as { written: number }).written);
  for (let n = 0; n < 5; n++) await submit(rig, n, 'other');
  await until(() => listener.asked.length === 5, 'all are asked about');
  const lines = (rig.store.status().journal as { written: number }).written - before;
  t.ok(lines < 5 * 450, `${lines} octets`);
  t.strictSame(listener.told, []);
});

t.test('a crash at any record between the state and the end of the telling loses nothing', async (t) => {
  const records: readonly (readonly [what: string, before: RegExp | undefined, asked: boolean])[] = [
    ['after the state', /"dl","m":1|\["dl",/, true],
    ['after the dispatch', /"k":0,"e":"done"/, false],
  ];
  for (const [what, before, asked] of records) {
    const listener = new Listener();
    const rig = await ModuleRig.open(testFolder(t), { config, definitions: [listener.definition] });
    await submit(rig, 1);
    await until(() => pending(rig) === 0 && listener.told.length === 1, 'it is told');
    const again = new Listener();
    const next = await rig.crash({ definitions: [again.definition], ...(before && { before }) });
    await until(() => again.told.length === 1, `${what}: told after the crash`);
    t.strictSame(again.told, ['1 sent'], what);
    t.strictSame(again.asked, asked ? ['1 sent'] : [], what);
    await next.close();
  }
});

t.test('after a clean stop nothing is asked again, wanted or not', async (t) => {
  const listener = new Listener();
  const base = testFolder(t);
  const rig = await ModuleRig.open(base, { config, definitions: [listener.definition] });
  await submit(rig, 1, 'other');
  await submit(rig, 2);
  await rig.handled('listener');
  await until(() => listener.asked.length === 2, 'both are asked about');
  await rig.close();
  const again = new Listener();
  const next = await ModuleRig.open(base, { config, definitions: [again.definition], clock: rig.clock });
  await submit(next, 3);
  await until(() => again.told.length === 1, 'the next is told');
  t.strictSame(again.asked, ['3 sent']);
  await next.close();
});

t.test('a message of which the modules were not asked stays in the outbox', async (t) => {
  const listener = new Listener();
  const gateway = `${config}config gateway 'gateway'\n\toption keep_sent_max '0'\n`;
  const rig = await open(t, listener, { config: gateway });
  await submit(rig, 1);
  await until(() => listener.told.length === 1, 'it is told');
  await submit(rig, 2);
  await until(() => listener.told.length === 2, 'the next is told');
  t.strictSame(listener.told, ['1 sent', '2 sent']);
  t.notOk(
    (await rig.outbox()).some(({ id }) => id === 1),
    'and then it goes',
  );
});

t.test(
  'while there is nobody, receipts wait: untried, unwritten, in order, over restarts, until they are called',
  async (t) => {
    let listener = new Listener();
    listener.answer = () => waiting;
    let rig = await open(t, listener);
    for (let n = 1; n <= 3; n++) await submit(rig, n);
    await until(() => pending(rig) === 3 && listener.told.length === 1, 'they wait');
    const written = (rig.store.status().journal as { written: number }).written;
    for (let hour = 0; hour < 48; hour++) await rig.clock.advance(3_600_000);
    t.equal((rig.store.status().journal as { written: number }).written, written, 'nothing is written meanwhile');
    t.ok(listener.told.length <= 49, 'and it is asked once an hour');
    t.match(rig.store.deliveries.counters('listener'), { retried: 0, expired: 0 });
    t.notOk(rig.log.some((line) => line.startsWith('warning')));

    listener = new Listener();
    listener.answer = () => waiting;
    rig = await rig.crash({ definitions: [listener.definition] });
    t.teardown(() => rig.close());
    await until(() => listener.told.length === 1, 'it is asked after the restart');
    await rig.receive('+37060000009', 'hello');
    await until(() => pending(rig) === 4, 'one more waits');
    listener.told.length = 0;
    listener.answer = () => ({ type: 'done' });
    await rig.clock.advance(60_000);
    t.strictSame(listener.told, [], 'nobody has called');
    listener.context?.wake('y');
    t.strictSame(listener.told, [], 'not for this target');
    listener.context?.wake('x');
    await rig.handled('listener');
    t.strictSame(listener.told, ['1 sent', '2 sent', '3 sent', 'hello']);
  },
);

t.test('a call while a delivery finds nobody is not missed, and one ends a pause', async (t) => {
  const listener = new Listener();
  listener.answer = () => {
    if (listener.told.length > 1) return { type: 'done' };
    listener.context?.wake('x');
    return waiting;
  };
  const rig = await open(t, listener);
  await submit(rig, 1);
  await until(() => listener.told.length === 2 && pending(rig) === 0, 'it is told');
  t.strictSame(listener.told, ['1 sent', '1 sent']);
  listener.told.length = 0;
  listener.answer = () => (listener.told.length > 1 ? { type: 'done' } : { type: 'retry', reason: 'busy' });
  await submit(rig, 2);
  await until(() => rig.store.deliveries.counters('listener').retried === 1, 'it pauses');
  listener.context?.wake('x');
  await until(() => pending(rig) === 0, 'it is told');
  t.strictSame(listener.told, ['2 sent', '2 sent']);
});

t.test('what waits for a month expires, and no more waits for one target than memory bears', async (t) => {
  const listener = new Listener();
  listener.answer = () => waiting;
  const rig = await open(t, listener);
  await submit(rig, 1);
  await until(() => listener.told.length === 1, 'it waits');
  for (let hour = 0; hour < 33 * 24; hour++) await rig.clock.advance(3_600_000);
  await until(() => pending(rig) === 0, 'it has expired');
  t.match(rig.store.deliveries.counters('listener'), { expired: 1 });
  listener.times = 10_000;
  await submit(rig, 2);
  await until(() => pending(rig) === 10_000, 'all of that wait');
  await submit(rig, 3);
  await until(() => listener.asked.length === 3, 'one more is asked about');
  await rig.clock.advance(0);
  t.equal(pending(rig), 10_000, 'and left out');
});
