/**
 * The gateway of the soak test as a process of its own, so that what is measured is the gateway's alone: the whole Gateway, as
 * main.ts starts it, on a clock that takes orders. `gateway.ts FOLDER START`; run with --expose-gc.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { createLogger, processSink } from '../../src/base/log.ts';
import { Gateway } from '../../src/gateway.ts';
import { strideAt } from './config.ts';
import { FastClock } from './fast-clock.ts';

export type Order =
  | { readonly skip: number }
  /** Ends a skip early; the answer to the skip is the only one. */
  | { readonly interrupt: true }
  | { readonly step: number }
  | { readonly sample: true };

/** What the process holds, after a garbage collection. */
export interface Sample {
  /** Octets. */
  readonly heap: number;
  readonly resident: number;
  readonly descriptors: number;
  /** Timers of the clock. */
  readonly timers: number;
  /** What keeps the event loop of Node busy: sockets, timers, watchers, requests. */
  readonly handles: number;
  /** Processor time since the start, of all threads, ms. */
  readonly cpu: number;
  /** What the kernel handed to the disk since the start, octets. */
  readonly written: number;
}

const [folder = '', start = '0'] = process.argv.slice(2);
const clock = new FastClock(Number(start));

async function sample(): Promise<Sample> {
  globalThis.gc?.();
  await new Promise((resolve) => setImmediate(resolve));
  globalThis.gc?.();
  const { heapUsed, rss, external } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  return {
    heap: heapUsed + external,
    resident: rss,
    descriptors: readdirSync('/proc/self/fd').length,
    timers: clock.pending,
    cpu: (user + system) / 1000,
    handles: process.getActiveResourcesInfo().length,
    written: Number(/^write_bytes: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]),
  };
}

async function obey(order: Exclude<Order, { readonly interrupt: true }>): Promise<Sample | number> {
  if ('sample' in order) return sample();
  if ('skip' in order) await clock.skip(order.skip, strideAt);
  else clock.step(order.step);
  return clock.now();
}

const sink = processSink('info');
const options = {
  configDirectory: `${folder}/config`,
  stateDirectory: `${folder}/state`,
  socket: `${folder}/rpc`,
  http: { host: '127.0.0.1', port: 0 },
  pagesDirectory: `${folder}/www`,
  ubus: `${folder}/ubus`,
};
process.on('uncaughtException', (error) => {
  createLogger(sink).error(`unforeseen: ${error.stack}`);
  process.exit(70);
});
const gateway = await Gateway.start(options, { sink, clock }, new AbortController().signal);
process.on('message', (order: Order) => {
  if ('interrupt' in order) clock.interrupt();
  else void obey(order).then((answer) => process.send?.(answer));
});
process.on('disconnect', () => void gateway.stop().then(() => process.exit(0)));
