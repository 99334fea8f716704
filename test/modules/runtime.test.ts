import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  type Delivery,
  type DeliveryEvent,
  type DeliveryOutcome,
  type DeliveryRequest,
  defineModule,
  type GatewayModule,
  type ModuleContext,
  type ModuleDefinition,
  noReceipts,
} from '../../src/modules/host/contract.ts';
import { type FileSystem, nodeFileSystem } from '../../src/store/journal/file-system.ts';
import type { InboxMessage } from '../../src/store/message.ts';
import { testFolder } from '../support/folder.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { ModuleRig, type ModuleRigOptions } from '../support/module-rig.ts';
import { numberOf, until } from '../support/outbox-rig.ts';

const ALICE = '+37060000001';
/** Of two parts. */
const long = 'long '.repeat(40).trim();

/** What a module does at each point, where that is something; `n` counts its instances from 1. */
interface Script {
  create?(n: number): void | Promise<void>;
  start?(n: number, context: ModuleContext<unknown>): void | Promise<void>;
  stop?(n: number): void | Promise<void>;
  wants?(message: InboxMessage): readonly string[];
  deliver?(message: InboxMessage, signal: AbortSignal): Promise<DeliveryOutcome>;
  counters?(): Record<string, number>;
}

const nothing = () => new Promise<void>(() => undefined);
const fails = (text: string) => () => {
  throw new Error(text);
};

/** A module of each name, and what befell them. */
class Stage {
  readonly events: string[] = [];
  readonly scripts: { first: Script; second: Script } = { first: {}, second: {} };
  readonly definitions: readonly ModuleDefinition[] = [
    defineModule({
      name: 'first',
      sections: ['auto_reply'],
      config: (config) => config.auto_reply,
      enabled: (config) => config.enabled,
      load: async () => this.#load('first'),
    }),
    defineModule({
      name: 'second',
      sections: ['post_get'],
      config: (config) => config.post_get,
      enabled: (config) => config.enabled,
      load: async () => this.#load('second'),
    }),
  ];

  readonly #instances = { first: 0, second: 0 };

  /** Events since the last time. */
  take(): readonly string[] {
    return this.events.splice(0);
  }

  async #load(name: 'first' | 'second'): Promise<new (context: ModuleContext<unknown>) => GatewayModule> {
    const script = this.scripts[name];
    const n = ++this.#instances[name];
    const { events } = this;
    await script.create?.(n);
    return class implements GatewayModule {
      readonly #context: ModuleContext<unknown>;

      constructor(context: ModuleContext<unknown>) {
        this.#context = context;
      }

      async start(): Promise<void> {
        events.push(`${name}${n} start`);
        this.#context.bus.on('sms.sent', this, () => void events.push(`${name}${n} heard`));
        await script.start?.(n, this.#context);
      }

      async stop(): Promise<void> {
        events.push(`${name}${n} stop${this.#context.signal.aborted ? '' : ' before the signal'}`);
        await script.stop?.(n);
      }

      deliveriesFor(event: DeliveryEvent): readonly DeliveryRequest[] {
        const targets = event.kind === 'message' ? script.wants?.(event.message) : [];
        return (targets ?? []).map((target) => ({ target }));
      }

      async deliver(delivery: Delivery, signal: AbortSignal): Promise<DeliveryOutcome> {
        if (delivery.kind !== 'message') return noReceipts;
        const { message } = delivery;
        events.push(`${name}${n} gets ${message.text}`);
        return (await script.deliver?.(message, signal)) ?? { type: 'done' };
      }

      get counters(): Record<string, number> {
        return script.counters?.() ?? { n };
      }

      status() {
        return { ...script.counters?.() };
      }
    };
  }
}

const config = ({ first = 1, second = 1, text = 'x' } = {}) =>
  `config status 'auto_reply'\n\toption enabled '${first}'\n\toption msg '${text}'\n` +
  `config post_get 'post_get'\n\toption enabled '${second}'\n\toption password 'secret123'\n`;

/** The rig with both modules; `opened` resolves when they have been tried. */
function open(t: Test, stage: Stage, options: Partial<ModuleRigOptions> = {}) {
  const clock = new ManualClock();
  const opened = ModuleRig.open(testFolder(t), { config: config(), clock, definitions: stage.definitions, ...options });
  t.teardown(async () => (await opened).close());
  return { clock, opened };
}

const states = (rig: ModuleRig) => rig.modules.list().map(({ state }) => state);
const errors = (rig: ModuleRig) => rig.log.filter((line) => line.startsWith('error'));

t.test('a start that fails is tried again with growing pauses; the other module runs', async (t) => {
  const stage = new Stage();
  stage.scripts.first.start = fails('no route');
  const { clock, opened } = open(t, stage);
  const rig = await opened;
  t.same(states(rig), ['failed', 'running']);
  t.match(rig.modules.list()[0], { enabled: true, error: 'no route', counters: {} });
  t.same(stage.take(), ['first1 start', 'second1 start', 'first1 stop']);
  t.throws(() => rig.modules.status('third'), { code: 'module_not_found' });
  await t.rejects(rig.modules.test('first', AbortSignal.timeout(1000)), { code: 'module_unavailable' });

  const begin = clock.monotonic();
  const tries: number[] = [];
  stage.scripts.first.start = () => {
    tries.push((clock.monotonic() - begin) / 1000);
    throw new Error('no route');
  };
  const seen: (string | undefined)[] = [];
  rig.bus.on('module.state', stage, ({ state, error }) => void seen.push(`${state} ${error}`));
  await clock.advance(3_000_000);
  t.same(tries, [5, 15, 35, 75, 155, 315, 635, 1235, 1835, 2435]);
  t.same([...new Set(seen)], ['starting no route', 'failed no route'], 'the reason stays visible');
  t.same(errors(rig), ['error first: did not start: no route'], 'told once');

  stage.scripts.first.start = fails('no carrier');
  await clock.advance(600_000);
  stage.scripts.first.start = () => undefined;
  await clock.advance(600_000);
  t.same(states(rig), ['running', 'running']);
  t.equal(rig.modules.list()[0]?.error, undefined);
  t.equal(errors(rig).length, 2, 'another reason is told');
  t.equal(stage.take().filter((event) => event.startsWith('second')).length, 0);
  await clock.advance(3_000_000);
  t.same(stage.take(), [], 'and then it is left alone');
});

t.test('each way to hang or to throw while it starts', async (t) => {
  const ways: readonly (readonly [what: string, script: Script, reason: string, ms: number])[] = [
    ['its code cannot be loaded', { create: fails('no such file') }, 'no such file', 0],
    ['its code never comes', { create: nothing }, 'start took longer than 30 s', 30_000],
    ['start never ends', { start: nothing }, 'start took longer than 30 s', 30_000],
    ['start throws, stop never ends', { start: fails('oh'), stop: nothing }, 'oh', 10_000],
    ['stop throws too', { start: fails('oh'), stop: fails('again') }, 'oh', 0],
  ];
  for (const [what, script, reason, ms] of ways) {
    await t.test(what, async (t) => {
      const stage = new Stage();
      stage.scripts.first = script;
      const { clock, opened } = open(t, stage);
      await until(() => stage.events.includes('second1 start'), 'the other one runs');
      await clock.advance(ms);
      const rig = await opened;
      t.same(states(rig), ['failed', 'running']);
      t.equal(rig.modules.list()[0]?.error, reason);
      t.notMatch(stage.take().join(), /before the signal/);
      stage.scripts.first = {};
      await rig.modules.restart('first');
      t.same(states(rig), ['running', 'running']);
      t.same(rig.modules.list()[0]?.counters, { n: 2 });
    });
  }
});

t.test('what fails in the work of a running module is shown until it succeeds', async (t) => {
  const stage = new Stage();
  let outcome: DeliveryOutcome | Error = { type: 'done' };
  stage.scripts.first = {
    wants: () => ['there'],
    deliver: async () => {
      if (outcome instanceof Error) throw outcome;
      return outcome;
    },
  };
  const { clock, opened } = open(t, stage);
  const rig = await opened;
  const shown = () => {
    const { state, error, errorSince } = rig.modules.status('first');
    return [state, error, errorSince === undefined ? undefined : errorSince - begin];
  };
  const begin = clock.now();
  const events: (string | undefined)[] = [];
  rig.bus.on('module.state', stage, ({ name, error }) => void events.push(`${name} ${error}`));
  const steps: readonly (readonly [what: string, outcome: DeliveryOutcome | Error, error: string | undefined])[] = [
    ['all is well', { type: 'done' }, undefined],
    ['a rejection', { type: 'rejected', reason: 'no such user' }, 'no such user'],
    ['nothing left to do', { type: 'rejected', reason: 'gone', moot: true }, 'no such user'],
    ['a success', { type: 'done' }, undefined],
  ];
  for (const [what, next, error] of steps) {
    outcome = next;
    await rig.receive(ALICE, what);
    await rig.handled('first');
    t.same(shown(), ['running', error, error === undefined ? undefined : 0], what);
  }
  outcome = { type: 'retry', reason: 'busy' };
  await rig.receive(ALICE, 'waits');
  await until(() => shown()[1] === 'busy', 'it is shown');
  outcome = new Error('thrown');
  await until(async () => {
    await clock.advance(60_000);
    return shown()[1] === 'thrown';
  }, 'the last reason is shown');
  t.same(shown()[2], 0, 'and since when nothing went well');
  outcome = { type: 'done' };
  await until(async () => {
    await clock.advance(600_000);
    return rig.store.deliveries.pending('first') === 0;
  }, 'it succeeds');
  t.same(shown(), ['running', undefined, undefined]);
  t.same(
    events,
    ['no such user', undefined, 'busy', 'thrown', undefined].map((error) => `first ${error}`),
  );
});

t.test('a section that is wrong: the module is in error, or runs with its last good values and says so', async (t) => {
  const stage = new Stage();
  let fault: string | undefined = 'line 3: port';
  const faultOf = (keys: readonly string[]) => (keys.includes('auto_reply') ? fault : undefined);
  const { opened } = open(t, stage, { config: config({ first: 0 }), faultOf });
  const rig = await opened;
  t.match(rig.modules.list(), [
    { name: 'first', state: 'error', enabled: true, error: 'line 3: port' },
    { name: 'second', state: 'running', error: undefined },
  ]);
  await rig.configure(config());
  t.match(rig.modules.status('first'), { state: 'running', error: 'line 3: port' });
  fault = undefined;
  t.match(rig.modules.status('first'), { state: 'running', error: undefined });
  await rig.configure(config({ first: 0 }));
  t.match(rig.modules.status('first'), { state: 'disabled', enabled: false, error: undefined });
});

t.test('works that fail apart are shown apart; a restart begins without them', async (t) => {
  const stage = new Stage();
  let health: ModuleContext<unknown>['health'] | undefined;
  stage.scripts.first.start = (_, context) => {
    health = context.health;
  };
  const { clock, opened } = open(t, stage);
  const rig = await opened;
  const begin = clock.now();
  const shown = () => {
    const { error, errorSince } = rig.modules.status('first');
    return error === undefined ? undefined : [error, (errorSince ?? 0) - begin];
  };
  health?.failed('login', 'wrong password');
  await clock.advance(1_000);
  health?.failed('delete', 'refused');
  t.same(shown(), ['refused', 1_000]);
  await clock.advance(1_000);
  health?.failed('login', 'no answer');
  t.same(shown(), ['no answer', 0], 'the last failure, since when that work fails');
  health?.succeeded('login');
  t.same(shown(), ['refused', 1_000]);
  health?.succeeded('delete');
  t.equal(shown(), undefined);
  for (let n = 0; n < 1_000; n++) health?.failed(`work ${n}`, 'x'.repeat(10_000));
  t.equal(rig.modules.status('first').error?.length, 300);
  for (let n = 900; n < 1_000; n++) health?.succeeded(`work ${n}`);
  t.equal(shown(), undefined, 'bounded');
  health?.failed('login', 'wrong password');
  const old = health;
  const passed: string[] = [];
  rig.bus.on('module.state', stage, ({ state }) => void passed.push(state));
  await rig.modules.restart('first');
  t.equal(shown(), undefined);
  t.same(passed, ['stopping', 'starting', 'running'], 'and passes no other state');
  old?.failed('login', 'late');
  t.equal(shown(), undefined, 'what was left behind has no say');
  t.equal(passed.length, 3);
});

t.test('a stop does not wait for a start that hangs', async (t) => {
  for (const script of [{ create: nothing }, { start: nothing }] as const) {
    const stage = new Stage();
    const { opened } = open(t, stage);
    const rig = await opened;
    Object.assign(stage.scripts.first, script);
    const restarted = rig.modules.restart('first');
    const twice = rig.modules.restart('first');
    await until(() => rig.modules.list()[0]?.state === 'starting', 'it hangs');
    await rig.configure(config({ first: 0 }));
    await Promise.all([restarted, twice]);
    t.same(states(rig), ['disabled', 'running']);
    t.same(errors(rig), []);
  }
});

t.test('each way to hang or to throw while it stops', async (t) => {
  for (const [what, script, ms] of [
    ['stop throws', { stop: fails('stuck') }, 0],
    ['stop never ends', { stop: nothing }, 10_000],
  ] as const) {
    await t.test(what, async (t) => {
      const stage = new Stage();
      Object.assign(stage.scripts.first, script);
      const { clock, opened } = open(t, stage);
      const rig = await opened;
      const restarted = rig.modules.restart('first');
      await clock.advance(ms);
      t.match(await restarted, { state: 'running', counters: { n: 2 } });
      t.equal(errors(rig).length, 1);
      const stopped = rig.modules.stop();
      await clock.advance(ms);
      await stopped;
      t.same(states(rig), ['disabled', 'disabled']);
    });
  }
});

t.test('only the modules whose config changed notice', async (t) => {
  const stage = new Stage();
  const { opened } = open(t, stage);
  const rig = await opened;
  stage.take();
  await rig.configure(config({ text: 'y' }));
  t.same(stage.take(), ['first1 stop', 'first2 start']);
  await rig.configure(`${config({ text: 'y' })}config group\n\toption name 'g'\n`);
  await rig.configure(config({ text: 'y' }));
  t.same(stage.take(), []);
  await rig.configure(config({ first: 0 }));
  t.same(stage.take(), ['first2 stop']);
  await t.rejects(rig.modules.restart('first'), { code: 'module_unavailable' });
  await rig.configure(config());
  t.same(stage.take(), ['first3 start']);
  await rig.modules.restart('second');
  t.same(stage.take(), ['second1 stop', 'second2 start']);
});

t.test(
  'one that could not start waits on when a commit does not concern it, and tries at once when one does',
  async (t) => {
    const stage = new Stage();
    stage.scripts.first = { start: fails('no route') };
    const { opened } = open(t, stage);
    const rig = await opened;
    stage.take();
    await rig.configure(`${config()}config group\n\toption name 'g'\n`);
    t.same(stage.take(), []);
    stage.scripts.first = {};
    await rig.configure(config({ text: 'y' }));
    t.same(states(rig), ['running', 'running']);
  },
);

t.test('what lasts is handed from instance to instance, of each module its own', async (t) => {
  class Count {
    n = 0;
  }
  class OtherCount {
    n = 0;
  }
  const stage = new Stage();
  const seen: string[] = [];
  const start = (_: number, { name, lasting }: ModuleContext<unknown>) => {
    const [count, other] = [lasting(Count), lasting(OtherCount)];
    count.n += 1;
    seen.push(`${name} ${count.n} ${other.n}`);
  };
  Object.assign(stage.scripts, { first: { start }, second: { start } });
  const { opened } = open(t, stage);
  const rig = await opened;
  await rig.configure(config({ text: 'y' }));
  await rig.modules.restart('first');
  t.same(seen.toSorted(), ['first 1 0', 'first 2 0', 'first 3 0', 'second 1 0']);
});

t.test('the last word counts', async (t) => {
  const stage = new Stage();
  const { opened } = open(t, stage);
  const rig = await opened;
  const restarts = [rig.modules.restart('first'), rig.modules.restart('first')];
  await rig.configure(config({ first: 0 }));
  await Promise.all(restarts);
  t.same(states(rig), ['disabled', 'running'], 'a restart does not start what was switched off meanwhile');
  await rig.configure(config());
  const late = rig.modules.restart('second');
  await rig.modules.stop();
  await late;
  await rig.configure(config({ text: 'z' }));
  t.same(states(rig), ['disabled', 'disabled'], 'nothing starts once all must stop');
});

t.test('what a module listened to is silent when it has ended', async (t) => {
  const stage = new Stage();
  const { opened } = open(t, stage);
  const rig = await opened;
  await rig.modules.restart('first');
  stage.take();
  const { id } = await rig.store.outbox.submit({
    number: numberOf(1),
    content: { type: 'text', text: 'x' },
    source: 'test',
  });
  await rig.store.outbox.settled(id, AbortSignal.timeout(60_000));
  await until(() => stage.events.length >= 2, 'the event');
  t.same([...stage.take()].sort(), ['first2 heard', 'second1 heard']);
});

t.test('a module that cannot tell about itself', async (t) => {
  const stage = new Stage();
  stage.scripts.first.counters = fails('lost count');
  stage.scripts.first.wants = fails('lost its way');
  stage.scripts.second.wants = () => ['all'];
  const { opened } = open(t, stage);
  const rig = await opened;
  t.same(states(rig), ['running', 'running']);
  t.same(rig.modules.list()[0]?.counters, {});
  t.same(rig.modules.status('first').details, { error: 'lost count' });
  await rig.receive(ALICE, 'hi');
  await rig.handled('second');
  t.ok(stage.take().includes('second1 gets hi'));
  t.match(errors(rig), [/first: cannot say which deliveries message 1 needs: lost its way/]);
  await rig.modules.restart('first');
  t.same(states(rig), ['running', 'running']);
});

t.test('what a module wants', async (t) => {
  t.test('is asked of one that could not start; it gets the message when it can', async (t) => {
    const stage = new Stage();
    stage.scripts.first = { start: fails('no route'), wants: () => ['all'] };
    const { clock, opened } = open(t, stage);
    const rig = await opened;
    await rig.receive(ALICE, 'hi');
    await until(() => rig.store.inbox.table.undispatched().length === 0, 'it is dispatched');
    t.equal(rig.modules.list()[0]?.pending, 1);
    // Also when a later try does not even come so far.
    stage.scripts.first.create = fails('no memory');
    await clock.advance(5_000);
    await rig.receive(ALICE, 'there');
    await until(() => rig.modules.list()[0]?.pending === 2, 'it is dispatched');
    Object.assign(stage.scripts.first, { create: () => undefined, start: () => undefined });
    await clock.advance(10_000);
    await rig.handled('first');
    t.same(
      stage.take().filter((event) => event.includes('gets')),
      ['first3 gets hi', 'first3 gets there'],
    );
  });

  t.test('is not lost while it restarts', async (t) => {
    const stage = new Stage();
    stage.scripts.first.wants = () => ['all'];
    const { clock, opened } = open(t, stage);
    const rig = await opened;
    let go = () => {};
    stage.scripts.first.stop = () =>
      new Promise<void>((resolve) => {
        go = resolve;
      });
    for (const [i, renew] of [
      () => rig.modules.restart('first'),
      () => rig.configure(config({ text: 'y' })),
    ].entries()) {
      const renewed = renew();
      await until(() => rig.modules.list()[0]?.state === 'stopping', 'it stops');
      await rig.receive(ALICE, `during ${i}`);
      await clock.advance(0);
      go();
      await renewed;
      await until(() => stage.events.includes(`first${i + 2} gets during ${i}`), 'the new one gets it');
    }
    stage.scripts.first.stop = () => undefined;
    const got = stage.take().filter((event) => event.includes('gets'));
    t.same(got, ['first2 gets during 0', 'first3 gets during 1']);
  });

  t.test(
    'comes in the order of the messages, also of many that come while it restarts, and behind a long one',
    async (t) => {
      const stage = new Stage();
      stage.scripts.first.wants = () => ['all'];
      let go = () => {};
      stage.scripts.first.stop = () =>
        new Promise<void>((resolve) => {
          go = resolve;
        });
      const { opened } = open(t, stage);
      const rig = await opened;
      const renewed = rig.modules.restart('first');
      await until(() => rig.modules.list()[0]?.state === 'stopping', 'it stops');
      const texts = Array.from({ length: 200 }, (_, n) => (n < 150 && n % 50 === 7 ? `${n} ${long}` : `${n}`));
      for (const text of texts.slice(0, 150)) await rig.receive(ALICE, text);
      go();
      // Some come while those are planned.
      await Promise.all(texts.slice(150).map((text) => rig.receive(ALICE, text)));
      await renewed;
      await rig.handled('first');
      t.same(
        stage.take().filter((event) => event.includes('gets')),
        texts.map((text) => `first2 gets ${text}`),
      );
      stage.scripts.first.stop = () => undefined;
    },
  );

  t.test('is asked after a crash, of what was not dispatched', async (t) => {
    const stage = new Stage();
    stage.scripts.first.wants = () => ['all'];
    const { opened } = open(t, stage);
    const rig = await opened;
    // Of a message in parts it is noted only when it is stored what the modules want.
    await rig.receive(ALICE, long);
    await rig.handled('first');
    const next = await rig.crash({ before: /"dl"/ });
    t.teardown(() => next.close());
    await next.handled('first');
    t.same(
      stage.take().filter((event) => event.includes('gets')),
      [`first1 gets ${long}`, `first2 gets ${long}`],
    );
    const last = await next.crash();
    t.teardown(() => last.close());
    await last.receive(ALICE, 'there');
    await last.handled('first');
    t.same(
      stage.take().filter((event) => event.includes('gets')),
      ['first3 gets there'],
      'and of nothing else',
    );
  });

  t.test('while one hangs in its start, a stop is not held up, and nothing is lost', async (t) => {
    const stage = new Stage();
    stage.scripts.second.wants = () => ['all'];
    const { opened } = open(t, stage);
    const rig = await opened;
    stage.scripts.first.start = nothing;
    const restarted = rig.modules.restart('first');
    await until(() => rig.modules.list()[0]?.state === 'starting', 'it hangs');
    await rig.receive(ALICE, 'hi');
    await rig.clock.advance(0);
    t.equal(rig.modules.list()[1]?.pending, 0);
    stage.scripts.first.start = () => undefined;
    const next = await rig.crash();
    t.teardown(() => next.close());
    await restarted;
    await next.handled('second');
    t.same(
      stage.take().filter((event) => event.includes('gets')),
      ['second2 gets hi'],
    );
  });
});

t.test('a delivery that does not heed the stop', async (t) => {
  const stage = new Stage();
  stage.scripts.first = { wants: () => ['all'], deliver: nothing as () => Promise<never>, stop: fails('stuck') };
  const { clock, opened } = open(t, stage);
  const rig = await opened;
  await rig.receive(ALICE, 'hi');
  await until(() => stage.events.includes('first1 gets hi'), 'it is under way');
  stage.scripts.first.deliver = async () => ({ type: 'done' });
  const restarted = rig.modules.restart('first');
  await clock.advance(5_000);
  t.match(await restarted, { state: 'running' });
  await rig.handled('first');
  t.same(stage.take().slice(-2), ['first2 start', 'first2 gets hi']);
});

/** Files that fail with an error while `fault` says so of a write, or of a read. */
function faulty(fault: (call: 'read' | 'write', octets: Buffer) => boolean): FileSystem {
  const check = (call: 'read' | 'write', octets: Uint8Array) => {
    if (fault(call, Buffer.from(octets))) throw Object.assign(new Error('no luck'), { code: 'EIO' });
  };
  return {
    ...nodeFileSystem,
    async open(path, mode) {
      const file = await nodeFileSystem.open(path, mode);
      return {
        ...file,
        async write(buffer, position) {
          check('write', buffer);
          return file.write(buffer, position);
        },
        async writeThrough(buffer, position) {
          check('write', buffer);
          return file.writeThrough(buffer, position);
        },
        async read(buffer, position) {
          check('read', buffer);
          return file.read(buffer, position);
        },
      };
    },
  };
}

t.test('what comes after a fault of the store is behind what came before', async (t) => {
  let broken = true;
  const fileSystem = faulty((call, octets) => call === 'write' && broken && octets.includes('"dl"'));
  const stage = new Stage();
  stage.scripts.first.wants = () => ['all'];
  const { clock, opened } = open(t, stage, { fileSystem });
  const rig = await opened;
  await rig.receive(ALICE, long);
  await until(() => errors(rig).some((line) => line.includes('cannot hand messages')), 'it fails');
  broken = false;
  for (const text of ['two', 'three']) await rig.receive(ALICE, text);
  await clock.advance(30_000);
  await rig.receive(ALICE, 'four');
  await rig.handled('first');
  t.same(
    stage.take().filter((event) => event.includes('gets')),
    [long, 'two', 'three', 'four'].map((text) => `first1 gets ${text}`),
  );
});

t.test('what was not stored holds nothing back', async (t) => {
  let broken = false;
  const fileSystem = faulty((call, octets) => call === 'write' && broken && octets.includes('"in"'));
  const stage = new Stage();
  stage.scripts.first.wants = () => ['all'];
  const { opened } = open(t, stage, { fileSystem });
  const rig = await opened;
  let go = () => {};
  stage.scripts.first.stop = () =>
    new Promise<void>((resolve) => {
      go = resolve;
    });
  const restarted = rig.modules.restart('first');
  await until(() => rig.modules.list()[0]?.state === 'stopping', 'it stops, and cannot be asked');
  broken = true;
  for (let n = 0; n < 3; n++) await t.rejects(rig.receive(ALICE, `lost ${n}`), { code: 'store_unavailable' });
  broken = false;
  go();
  await restarted;
  stage.scripts.first.stop = () => undefined;
  await rig.receive(ALICE, 'hi');
  await rig.handled('first');
  const lines = readFileSync(join(rig.directory, 'journal'), 'utf8').split('\n');
  const [line] = lines.filter((each) => each.includes('"dl"'));
  t.match(line, /"in".*"dl"/, 'it is stored together with what the module wants, as none is before it');
});

t.test('a message that the disk does not give at first is handed on when it does', async (t) => {
  let broken = false;
  const stage = new Stage();
  stage.scripts.first.wants = () => ['all'];
  const { clock, opened } = open(t, stage, { fileSystem: faulty((call) => call === 'read' && broken) });
  const rig = await opened;
  broken = true;
  await rig.receive(ALICE, long);
  await until(() => errors(rig).length >= 2, 'it cannot be read');
  t.match(rig.received, [{ text: /<part_missing>|<undecodable>/ }], 'who listens hears of it');
  await rig.receive(ALICE, 'short');
  await until(() => stage.events.includes('first1 gets short'), 'the others go on');
  const before = errors(rig).length;
  await clock.advance(300_000);
  const tries = errors(rig).length - before;
  t.ok(tries >= 2 && tries <= 5, `looked at again, more and more seldom: ${tries} times`);
  broken = false;
  await until(async () => {
    await clock.advance(60_000);
    return stage.events.includes(`first1 gets ${long}`);
  }, 'it is read');
});

t.test('the store does not take what the modules want', async (t) => {
  let broken = true;
  let failures = 0;
  const fileSystem = faulty((call, octets) => {
    if (call === 'read' || !broken || !octets.includes('"dl"')) return false;
    failures += 1;
    return true;
  });
  const stage = new Stage();
  stage.scripts.first.wants = () => ['all'];
  const { clock, opened } = open(t, stage, { fileSystem });
  const rig = await opened;
  await rig.receive(ALICE, long);
  const told = () => errors(rig).filter((line) => line.includes('cannot hand messages')).length;
  await until(() => told() === 1, 'it fails');
  const again = (check: () => boolean) =>
    until(async () => {
      await clock.advance(5_000);
      return check();
    }, 'it is tried again');
  await again(() => failures === 3);
  t.equal(told(), 1, 'told once');
  broken = false;
  await again(() => stage.events.includes(`first1 gets ${long}`));
  await rig.receive(ALICE, 'two');
  await rig.handled('first');
  t.same(
    stage.take().filter((event) => event.includes('gets')),
    [`first1 gets ${long}`, 'first1 gets two'],
  );
});
