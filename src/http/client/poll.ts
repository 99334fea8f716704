import { env } from './env.ts';
import { _ } from './text.ts';
import { ui } from './ui.ts';

interface Entry {
  readonly run: () => unknown;
  readonly interval: number;
  busy: boolean;
}

let entries: Entry[] = [];
let timer: number | undefined;
let tick = 0;
let nudged: number | undefined;
/** ms between an event and the look at what it changed: more of them follow closely. */
const SETTLE_MS = 120;
/** ms between two such looks, however much happens: a burst of messages must not keep the gateway busy with pages. */
const NUDGE_GAP_MS = 500;
let lastNudge = 0;

function step(): void {
  for (const entry of [...entries]) if (tick % entry.interval === 0) run(entry);
  tick++;
}

/** Never twice at a time. As in LuCI, a promise that rejects is tried again, and a function that throws is not. */
function run(entry: Entry): void {
  if (entry.busy) return;
  entry.busy = true;
  try {
    void Promise.resolve(entry.run())
      .catch(() => undefined)
      .finally(() => {
        entry.busy = false;
      });
  } catch (error) {
    console.error(error);
    entries = entries.filter((each) => each !== entry);
  }
}

/** LuCI's `poll`. */
export const poll = {
  add(fn: unknown, interval?: number): boolean {
    const seconds = interval ?? Number(env['pollinterval'] ?? 5);
    if (typeof fn !== 'function' || !Number.isInteger(seconds) || seconds < 1)
      throw new TypeError('Invalid argument to poll.add');
    if (entries.some(({ run }) => run === fn)) return false;
    entries.push({ run: fn as () => unknown, interval: seconds, busy: false });
    if (timer === undefined && !stopped) poll.start();
    return true;
  },

  remove(fn: unknown): boolean {
    const before = entries.length;
    entries = entries.filter(({ run }) => run !== fn);
    if (entries.length === 0) poll.stop();
    return entries.length < before;
  },

  start(): boolean {
    if (timer !== undefined) return false;
    stopped = false;
    tick = 0;
    if (entries.length > 0) {
      timer = window.setInterval(step, 1000);
      step();
    }
    show();
    document.dispatchEvent(new CustomEvent('poll-start'));
    return true;
  },

  stop(): boolean {
    if (timer === undefined) return false;
    clearInterval(timer);
    timer = undefined;
    show();
    document.dispatchEvent(new CustomEvent('poll-stop'));
    return true;
  },

  active: (): boolean => timer !== undefined,

  /** Something has happened on the server: every entry runs soon. */
  nudge(): void {
    if (timer === undefined || nudged !== undefined) return;
    const wait = Math.max(SETTLE_MS, lastNudge + NUDGE_GAP_MS - performance.now());
    nudged = window.setTimeout(() => {
      nudged = undefined;
      lastNudge = performance.now();
      if (entries.some(({ busy }) => busy)) poll.nudge();
      else if (timer !== undefined) for (const entry of [...entries]) run(entry);
    }, wait);
  },

  /** For good: the session is over. */
  end(): void {
    poll.stop();
    stopped = true;
    entries = [];
  },
};

let stopped = false;

function show(): void {
  if (entries.length === 0) ui.hideIndicator('poll-status');
  else if (timer !== undefined) ui.showIndicator('poll-status', _('Refreshing'), () => pause(), 'active');
  else ui.showIndicator('poll-status', _('Paused'), () => poll.start(), 'inactive');
}

function pause(): void {
  poll.stop();
  stopped = true;
}
