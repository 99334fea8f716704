import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { budgets, limitsOf } from '../../access/budgets.ts';
import { isoTime } from '../../base/clock.ts';
import { describeError } from '../../base/errors.ts';
import type { JsonObject } from '../../base/json.ts';
import { counted, printable } from '../../base/printable.ts';
import type { HookConfig } from '../../config/config.ts';
import type { ProgramEnd } from '../../system/run-program.ts';
import type {
  Delivery,
  DeliveryEvent,
  DeliveryOutcome,
  DeliveryRequest,
  GatewayModule,
  ModuleContext,
} from '../host/contract.ts';
import { RetryLimit } from '../kit/delivery.ts';
import {
  deliveriesTo,
  eventFields,
  eventOfDelivery,
  type GatewayEvent,
  type TestResult,
  targetsOf,
  testEvent,
  testReport,
} from '../kit/event.ts';
import { callingOf, FILE } from './calling.ts';

const { output: MAX_OUTPUT, lines: MAX_LINES } = limitsOf(budgets.events);
/** Characters of a line of output in the log. */
const MAX_LINE = 200;
/** sysexits.h EX_TEMPFAIL: what failed may go well later. */
const TEMPFAIL = 75;

/** How a run ended. */
interface Run extends Omit<ProgramEnd, 'output'> {
  /** The program did not run: what stands in its way, a sentence. */
  readonly refused?: string;
}

/** Runs the administrator's programs on events, one after the other. */
export class Hooks implements GatewayModule {
  readonly counters = { run: 0, failed: 0, rejected: 0 };
  readonly #context: ModuleContext<readonly HookConfig[]>;
  readonly #targets: ReadonlyMap<string, HookConfig>;
  readonly #limits: ReadonlyMap<string, RetryLimit>;
  readonly #last = new Map<string, { readonly time: number; readonly result: string }>();

  constructor(context: ModuleContext<readonly HookConfig[]>) {
    this.#context = context;
    this.#targets = targetsOf(context.config, ({ argv }) => argv.join('\0'));
    this.#limits = new Map(
      [...this.#targets].map(([target, { retry_hours }]) => [target, new RetryLimit(context.clock, retry_hours)]),
    );
  }

  async start(): Promise<void> {
    const { system, health, log } = this.#context;
    for (const [target, { argv }] of this.#targets) {
      const reason = await system.distrust(argv[0] ?? '');
      if (reason === undefined) continue;
      log.warning(`hook ${target} cannot run, its events wait: ${reason}`);
      health.failed(target, reason);
    }
  }

  async stop(): Promise<void> {}

  deliveriesFor(event: DeliveryEvent): readonly DeliveryRequest[] {
    return deliveriesTo(this.#targets, event, this.#context);
  }

  async deliver(delivery: Delivery, signal: AbortSignal): Promise<DeliveryOutcome> {
    const { target, attempts } = delivery;
    const hook = this.#targets.get(target);
    const event = await eventOfDelivery(delivery, this.#context.outbox);
    if (hook === undefined) return { type: 'rejected', reason: 'there is no such hook any more', moot: true };
    if (event === undefined) return { type: 'rejected', reason: 'nothing is known of the event', moot: true };
    const run = await this.#run(target, hook, event, attempts + 1, signal);
    const outcome = this.#outcome(hook, run, attempts + 1);
    // Nobody knows how far it came: it is no failed try, and is run again.
    if (outcome.type !== 'done') signal.throwIfAborted();
    const { time } = event;
    const limited =
      run.code === undefined || run.code === TEMPFAIL
        ? (this.#limits.get(target)?.apply(outcome, { received: time, time }) ?? outcome)
        : outcome;
    if (limited.type === 'done') this.counters.run += 1;
    else this.counters[limited.type === 'rejected' ? 'rejected' : 'failed'] += 1;
    return limited;
  }

  /** Runs every hook once. */
  async test(signal: AbortSignal): Promise<string> {
    const both = AbortSignal.any([signal, this.#context.signal]);
    const results: TestResult[] = [];
    for (const [target, hook] of this.#targets) {
      const run = await this.#run(target, hook, testEvent(this.#context.clock.now()), 1, both);
      both.throwIfAborted();
      results.push({ good: run.code === 0, text: `hook ${target}: ${resultOf(run)}` });
    }
    return testReport(results);
  }

  status(): JsonObject {
    const hooks = [...this.#targets].map(([target, { section, argv }]) => {
      const last = this.#last.get(target);
      const run = last === undefined ? {} : { last_run: isoTime(last.time), last_result: last.result };
      return { section, program: argv[0], ...run };
    });
    return { hooks };
  }

  #outcome({ attempts: most }: HookConfig, run: Run, attempt: number): DeliveryOutcome {
    if (run.code === 0) return { type: 'done' };
    const reason = resultOf(run);
    if (run.refused !== undefined) return { type: 'retry', reason };
    const forGood = run.code !== undefined && run.code !== TEMPFAIL && attempt >= most;
    if (forGood) return { type: 'rejected', reason: `${reason}, ${attempt === 1 ? 'once' : `${attempt} times`}` };
    // The fault may lie in the event.
    return { type: 'retry', reason, passable: true };
  }

  /** Never rejects. */
  async #run(
    target: string,
    hook: HookConfig,
    event: GatewayEvent,
    attempt: number,
    signal: AbortSignal,
  ): Promise<Run> {
    const { clock, log } = this.#context;
    const started = clock.monotonic();
    const { output = '', ...run } = await this.#call(hook, event, attempt, signal);
    const result = resultOf(run);
    this.#last.set(target, { time: clock.now(), result });
    const what = event.id === undefined || event.id === 0 ? event.event : `${event.event} of message ${event.id}`;
    // The host reports failures; that of a repeated run is no news.
    const level = run.code === 0 || attempt === 1 ? 'info' : 'debug';
    log[level](`hook ${target} for ${what}: ${result} after ${Math.round(clock.monotonic() - started)} ms`);
    for (const line of shownLines(output)) log[level](`hook ${target}: ${line}`);
    return run;
  }

  async #call(
    hook: HookConfig,
    event: GatewayEvent,
    attempt: number,
    signal: AbortSignal,
  ): Promise<Run & { readonly output?: string }> {
    const { system, clock } = this.#context;
    const refused = await system.distrust(hook.argv[0] ?? '');
    if (refused !== undefined) return { refused };
    const fields = eventFields(event, await system.routerName());
    const calling = callingOf(event, fields, hook, { attempt, zone: await system.timeZone() });
    let folder: string | undefined;
    try {
      folder = calling.file && (await mkdtemp(join(tmpdir(), 'sms-gateway-hook-')));
      const path = folder === undefined ? '' : join(folder, `${event.modem ?? 'none'}.${event.id ?? 'call'}`);
      if (calling.file !== undefined) await writeFile(path, calling.file, { mode: 0o600 });
      const args = calling.args.map((argument) => (argument === FILE ? path : argument));
      return await system.run([...hook.argv, ...args], {
        ...{ clock, signal, deadline: hook.timeout * 1000, maxOutput: MAX_OUTPUT },
        environment: calling.environment,
        input: `${JSON.stringify({ ...fields })}\n`,
      });
    } catch (error) {
      return { refused: `the file of the message cannot be written: ${describeError(error)}` };
    } finally {
      if (folder !== undefined) await rm(folder, { recursive: true, force: true }).catch(() => undefined);
    }
  }
}

function resultOf({ code, failure, refused }: Run): string {
  return refused ?? failure ?? (code === 0 ? 'done' : `exit code ${code}`);
}

/** The first lines of what a program wrote, each as one of the log. */
function shownLines(output: string): readonly string[] {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  const shown = lines.slice(0, MAX_LINES).map((line) => printable(line.trimEnd().slice(0, MAX_LINE)));
  return lines.length > MAX_LINES ? [...shown, `... and ${counted(lines.length - MAX_LINES, 'line')} or more`] : shown;
}
