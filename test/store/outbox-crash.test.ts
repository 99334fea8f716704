import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { type FileSystem, nodeFileSystem, type OpenFile } from '../../src/store/journal/file-system.ts';
import type { MessageId } from '../../src/store/message.ts';
import type { SendOutcome } from '../../src/store/sender.ts';
import { testFolder } from '../support/folder.ts';
import { OutboxRig, pass, until } from '../support/outbox-rig.ts';
import { type Given, refused, rejected, ScriptedSender, silent, unavailable } from '../support/scripted-sender.ts';

const idle = (rig: OutboxRig) => () => rig.outbox.counts().queued + rig.outbox.counts().sending === 0;

/** Part `sequence` of the message with this text; the texts of the tests are `<name> xxx…`. */
const keyOf = ({ text, part }: Given, names: ReadonlyMap<number, string>) => {
  const [name] = text.split(' ');
  const reference = part.udh[2];
  return part.udh.length === 0 ? `${name}` : `${names.get(reference ?? -1)}/${part.udh[4]}`;
};

t.test('killed at every write and sync', async (t) => {
  const base = testFolder(t);
  interface Snapshot {
    readonly directory: string;
    readonly acknowledged: readonly MessageId[];
    /** Parts that the network has, and the one that a modem has in hand. */
    readonly taken: readonly string[];
  }
  const snapshots: Snapshot[] = [];
  const acknowledged: MessageId[] = [];
  const sender = new ScriptedSender();
  const names = new Map<number, string>();
  const snap = async (file: OpenFile) => {
    const taken = sender.given.filter((given) => given.taken).map((given) => keyOf(given, names));
    const known = [...acknowledged];
    const content = new Uint8Array(await file.size());
    await file.read(content, 0);
    const directory = join(base, `snapshot-${snapshots.length}`);
    mkdirSync(directory);
    writeFileSync(join(directory, 'journal'), content);
    snapshots.push({ directory, acknowledged: known, taken });
  };
  const fileSystem: FileSystem = {
    ...nodeFileSystem,
    async open(path, mode) {
      const file = await nodeFileSystem.open(path, mode);
      return {
        ...file,
        async write(buffer, position) {
          await snap(file);
          const written = await file.write(buffer, position);
          await snap(file);
          return written;
        },
        async writeThrough(buffer, position) {
          await snap(file);
          const written = await file.writeThrough(buffer, position);
          await snap(file);
          return written;
        },
        async datasync() {
          await file.datasync();
          await snap(file);
        },
      };
    },
  };
  const rig = await OutboxRig.open(base, { fileSystem });
  const submit = async (n: number, text: string) => {
    const { id, parts } = await rig.submit(n, text, { report: true });
    if (parts > 1) names.set(id & 0xff, text.split(' ')[0] ?? '');
    acknowledged.push(id);
    return id;
  };
  await submit(1, `long ${'x'.repeat(300)}`);
  const short = submit(2, 'short');
  rig.attach(sender.will(() => sender.accept(), rejected(42)));
  await short;
  await submit(1, 'behind');
  await pass(rig.clock, 1000, idle(rig), 'all are sent');
  await rig.outbox.report({ modem: 'gsm0', mr: 1, number: '+37060000002', status: 0, discharged: 0 });
  await rig.close();
  t.ok(snapshots.length > 20, `${snapshots.length} snapshots`);

  for (const { directory, acknowledged, taken } of snapshots) {
    const later = await OutboxRig.open(base, {}, directory);
    const loaded = await later.outbox.list({ limit: 100 });
    t.ok(
      acknowledged.every((id) => loaded.messages.some((message) => message.id === id)),
      'what was acknowledged is there',
    );
    const doubtful = loaded.messages.flatMap(({ partStates }) => partStates.filter((p) => p.state === 'ambiguous'));
    t.ok(doubtful.length <= 1, 'one modem has one part in hand');
    const next = later.attach(new ScriptedSender('gsm0', 100));
    await pass(later.clock, 1000, idle(later), 'all are sent');
    for (const { state } of (await later.outbox.list({ limit: 100 })).messages) t.match(state, /^(sent|delivered)$/);
    const all = [...taken, ...next.given.map((given) => keyOf(given, names))];
    const twice = all.filter((key, i) => all.indexOf(key) !== i);
    t.ok(twice.length <= doubtful.length, `twice: ${twice.join()}`);
    const order = ['long/1', 'long/2', 'long/3', 'behind'];
    const firsts = order.filter((key) => all.includes(key));
    t.strictSame(
      [...new Set(all)].filter((key) => order.includes(key)),
      firsts,
      'in order',
    );
    await later.close();
  }
});

type Step =
  | { readonly type: 'submit'; readonly to: number; readonly parts: number; readonly priority: 0 | 1 | 2 | 3 }
  | { readonly type: 'next'; readonly end: keyof typeof ends }
  | { readonly type: 'pass'; readonly seconds: number }
  | { readonly type: 'cancel'; readonly which: number }
  | { readonly type: 'reports' }
  /** `reset`: the modem lost its power as well, and counts from 0. */
  | { readonly type: 'crash'; readonly powerCut: boolean; readonly reset: boolean };

const ends = {
  rejected: () => rejected(42),
  refused: () => refused,
  unavailable: () => unavailable,
  silent: () => silent,
  lost: (sender) => {
    sender.accept();
    return silent;
  },
} satisfies Record<string, (sender: ScriptedSender) => SendOutcome>;

const steps = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        type: fc.constant('submit' as const),
        to: fc.nat(3),
        parts: fc.integer({ min: 1, max: 3 }),
        priority: fc.constantFrom(0 as const, 1 as const, 3 as const),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        type: fc.constant('next' as const),
        end: fc.constantFrom(...(Object.keys(ends) as (keyof typeof ends)[])),
      }),
    },
    { weight: 4, arbitrary: fc.record({ type: fc.constant('pass' as const), seconds: fc.constantFrom(0, 1, 20, 90) }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('cancel' as const), which: fc.nat(10) }) },
    { weight: 1, arbitrary: fc.constant({ type: 'reports' as const }) },
    {
      weight: 2,
      arbitrary: fc.record({ type: fc.constant('crash' as const), powerCut: fc.boolean(), reset: fc.boolean() }),
    },
  ),
  { minLength: 5, maxLength: 40 },
);

/** What the network, its reports and the clients of the outbox remember, through all crashes. */
class World {
  readonly policy: 'resend' | 'hold';
  readonly base: string;
  rig: OutboxRig;
  sender = new ScriptedSender();
  /** All that modems were given, over all runs. */
  readonly given: Given[] = [];
  readonly submitted = new Map<MessageId, { readonly name: string; readonly parts: number }>();
  readonly cancelled = new Set<MessageId>();
  readonly names = new Map<number, string>();
  /** Sends whose answer the outbox cannot have seen. */
  unanswered = 0;

  constructor(rig: OutboxRig, base: string, policy: 'resend' | 'hold') {
    this.rig = rig;
    this.base = base;
    this.policy = policy;
    rig.attach(this.sender);
  }

  async take(step: Step): Promise<void> {
    switch (step.type) {
      case 'submit':
        await this.#submit(step.to, step.parts, step.priority);
        break;
      case 'next':
        if (step.end === 'lost' || step.end === 'silent') this.unanswered += 1;
        this.sender.will(() => ends[step.end](this.sender));
        break;
      case 'pass':
        await this.rig.clock.advance(step.seconds * 1000);
        break;
      case 'cancel':
        await this.#cancel(step.which);
        break;
      case 'reports':
        await this.#reports();
        break;
      case 'crash':
        await this.#crash(step);
        break;
    }
  }

  async #submit(to: number, parts: number, priority: 0 | 1 | 2 | 3): Promise<void> {
    const name = `m${this.submitted.size}`;
    const text = `${name} ${'x'.repeat(153 * (parts - 1) + (parts > 1 ? 20 : 0))}`;
    const { id } = await this.rig.submit(to, text, { priority, report: true });
    this.submitted.set(id, { name, parts });
    if (parts > 1) this.names.set(id & 0xff, name);
  }

  async #cancel(which: number): Promise<void> {
    const id = [...this.submitted.keys()][which];
    if (id === undefined) return;
    const done = await this.rig.outbox.cancel(id).catch(() => undefined);
    if (done !== undefined) this.cancelled.add(id);
  }

  /** The network reports everything that it has of this modem. */
  async #reports(): Promise<void> {
    const { messages } = await this.rig.outbox.list({ limit: 1000, state: 'sent' });
    for (const { number, partStates } of messages) {
      for (const { mr } of partStates) {
        if (mr !== undefined) await this.rig.outbox.report({ modem: 'gsm0', mr, number, status: 0, discharged: 0 });
      }
    }
  }

  async #crash({ powerCut, reset }: { readonly powerCut: boolean; readonly reset: boolean }): Promise<void> {
    const { sender } = this;
    this.rig = await this.rig.crash({ policy: { ambiguous: this.policy } }, powerCut);
    this.given.push(...sender.given);
    // The part that was under way, if any.
    this.unanswered += 1;
    this.sender = new ScriptedSender('gsm0', reset ? 0 : sender.mr);
    this.sender.epoch = reset ? 1 : 0;
    this.rig.attach(this.sender);
  }

  async finish(): Promise<void> {
    await pass(this.rig.clock, 5_000, idle(this.rig), 'everything has ended');
    this.given.push(...this.sender.given);
    await this.rig.close();
  }
}

for (const policy of ['resend', 'hold'] as const) {
  t.test(`nothing lost, nothing twice without a doubt (${policy})`, async (t) => {
    const base = testFolder(t);
    let run = 0;
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        run += 1;
        const rig = await OutboxRig.open(base, { policy: { ambiguous: policy } }, join(base, `run-${run}`));
        const world = new World(rig, base, policy);
        for (const step of all) await world.take(step);
        await pass(world.rig.clock, 5_000, idle(world.rig), 'everything has ended');
        const { messages } = await world.rig.outbox.list({ limit: 1000 });
        await world.finish();

        const taken = new Map<string, number>();
        for (const given of world.given.filter(({ taken }) => taken)) {
          const key = keyOf(given, world.names);
          taken.set(key, (taken.get(key) ?? 0) + 1);
        }
        for (const [id, { name, parts }] of world.submitted) {
          const state = messages.find((message) => message.id === id)?.state;
          const keys = parts === 1 ? [name] : Array.from({ length: parts }, (_, i) => `${name}/${i + 1}`);
          const counts = keys.map((key) => taken.get(key) ?? 0);
          const shown = `${name} is ${state}, its parts were taken ${counts.join()} times`;
          if (state === undefined) throw new Error(`${name} is gone`);
          if (state === 'queued' || state === 'sending') throw new Error(shown);
          if ((state === 'sent' || state === 'delivered') && counts.includes(0)) throw new Error(shown);
          if (state === 'cancelled' && counts.some((n) => n > 0)) throw new Error(shown);
          if (world.cancelled.has(id) && state !== 'cancelled') throw new Error(shown);
          if (counts.some((n) => n > (policy === 'hold' ? 1 : 2))) throw new Error(shown);
        }
        const doubles = [...taken.values()].reduce((sum, n) => sum + n - 1, 0);
        if (doubles > world.unanswered) throw new Error(`${doubles} doubles with ${world.unanswered} lost answers`);
      }),
      { numRuns: Number(process.env.OUTBOX_RUNS ?? 60) },
    );
    t.ok(run >= 60);
  });
}

t.test('a part in hand at the crash', async (t) => {
  for (const [policy, state, sends] of [
    ['resend', 'sent', 1],
    ['hold', 'unknown', 0],
  ] as const) {
    const rig = await OutboxRig.open(testFolder(t), { policy: { ambiguous: policy } });
    const sender = rig.attach(new ScriptedSender());
    const release = sender.block();
    const { id } = await rig.submit(1, 'x');
    await until(() => sender.given.length === 1, 'it is in hand');
    const crash = rig.crash(rig.options, true);
    release(silent);
    const later = await crash;
    t.match(await later.get(id), { state: 'sending', attempts: 1, partStates: [{ state: 'ambiguous' }] });
    const next = later.attach(new ScriptedSender());
    await pass(later.clock, 1000, idle(later), 'it is decided');
    t.equal(await later.state(id), state);
    t.equal(next.given.length, sends);
    await later.close();
  }
});
