import type { SelfWatch } from '../access/self-watch.ts';
import type { EventSource } from '../base/bus.ts';
import type { Clock } from '../base/clock.ts';
import { isJsonObject, type Json, type JsonObject } from '../base/json.ts';
import type { OutboxMessage, OutboxState, StoreEvents } from '../store/message.ts';
import type { ModemDirectory } from './objects/modem.ts';
import type { ModuleDirectory } from './objects/module.ts';

export interface MetricsServices {
  readonly version: string;
  readonly clock: Clock;
  readonly bus: EventSource<StoreEvents>;
  readonly modems: ModemDirectory;
  readonly modules: ModuleDirectory;
  readonly outbox: { counts(): Readonly<Record<string, number>> };
  readonly inbox: { total(): { readonly used: number; readonly total: number; readonly unread: number } };
  readonly store: { status(): JsonObject };
  readonly selfWatch: Pick<SelfWatch, 'status'>;
}

/** Seconds from submit to the modem's acceptance: a part takes one to five, and what waits for a network takes hours. */
const BUCKETS = [0.5, 1, 2, 5, 10, 30, 60, 300, 3_600, 86_400];

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [labels: Labels, value: number, suffix?: string];

/**
 * What happens, in the text format of Prometheus (version 0.0.4). Counters begin at zero with each start of the daemon;
 * names follow the conventions that promtool checks.
 */
export class Metrics {
  readonly #services: MetricsServices;
  readonly #received = new Map<string, number>();
  readonly #sent = new Map<string, number>();
  readonly #ended = new Map<OutboxState, number>();
  readonly #buckets = BUCKETS.map(() => 0);
  #waits = 0;
  #waited = 0;

  constructor(services: MetricsServices) {
    this.#services = services;
    const { bus } = services;
    bus.on('sms.received', this, ({ modem }) => count(this.#received, modem));
    bus.on('sms.sent', this, (message) => this.#countSent(message));
    bus.on('sms.delivered', this, ({ state }) => count(this.#ended, state));
    bus.on('sms.failed', this, ({ state }) => count(this.#ended, state));
  }

  stop(): void {
    this.#services.bus.off(this);
  }

  /** All metrics, one line a sample. */
  text(): string {
    const { version, outbox, inbox, store, modems, modules } = this.#services;
    const { used, total, unread } = inbox.total();
    const { doubled = 0, ...states } = outbox.counts();
    const facts = store.status();
    const [journal, box] = [tableOf(facts['journal']), tableOf(facts['inbox'])];
    const statuses = modems.list().map((modem) => modem.status());
    const functions = modules.list();
    const usage = process.resourceUsage();
    const self = this.#services.selfWatch.status();
    return [
      metric('sms_gateway_info', 'gauge', 'Version of the gateway.', [[{ version }, 1]]),
      metric('sms_gateway_outbox_messages', 'gauge', 'Outgoing messages by state.', byLabel('state', states)),
      metric('sms_gateway_inbox_messages', 'gauge', 'Messages in the inbox.', [[{}, used]]),
      metric('sms_gateway_inbox_unread_messages', 'gauge', 'Unread messages in the inbox.', [[{}, unread]]),
      metric('sms_gateway_inbox_capacity_messages', 'gauge', 'Messages that the inbox holds.', [[{}, total]]),
      metric('sms_gateway_inbox_incomplete_messages', 'gauge', 'Of those in the inbox, how many wait for parts.', [
        [{}, numberOf(box['incomplete'])],
      ]),
      metric('sms_gateway_inbox_left_on_modem_parts', 'gauge', 'Parts that stay on a modem for want of room.', [
        [{}, numberOf(box['left_on_modem'])],
      ]),
      metric('sms_gateway_received_total', 'counter', 'Messages received.', byLabel('modem', this.#received)),
      metric('sms_gateway_sent_total', 'counter', 'Messages accepted by the network.', byLabel('modem', this.#sent)),
      metric(
        'sms_gateway_ended_total',
        'counter',
        'Messages that were delivered or failed.',
        byLabel('state', this.#ended),
      ),
      metric('sms_gateway_doubled_parts_total', 'counter', 'Parts known to be sent twice.', [[{}, doubled]]),
      metric('sms_gateway_send_seconds', 'histogram', 'From submit to acceptance by the network.', this.#histogram()),
      metric(
        'sms_gateway_modem_ready',
        'gauge',
        'Whether the modem sends and receives.',
        statuses.map(({ name, state }) => [{ modem: name }, state === 'ready' ? 1 : 0]),
      ),
      metric(
        'sms_gateway_modem_signal_dbm',
        'gauge',
        'Received signal.',
        statuses.flatMap(({ name, signal }) => (signal === undefined ? [] : [[{ modem: name }, signal] as const])),
      ),
      metric(
        'sms_gateway_modem_reopened_total',
        'counter',
        'How often the port was opened again.',
        statuses.map(({ name, reopened }) => [{ modem: name }, reopened]),
      ),
      metric(
        'sms_gateway_module_enabled',
        'gauge',
        'Whether the function is switched on.',
        functions.map(({ name, enabled }) => [{ module: name }, enabled ? 1 : 0]),
      ),
      metric(
        'sms_gateway_module_failing',
        'gauge',
        'Whether the function, or its last work, fails.',
        functions.map(({ name, error }) => [{ module: name }, error === undefined ? 0 : 1]),
      ),
      metric(
        'sms_gateway_module_pending_deliveries',
        'gauge',
        'Deliveries that wait.',
        functions.map(({ name, pending }) => [{ module: name }, pending]),
      ),
      metric(
        'sms_gateway_module_events_total',
        'counter',
        'What the function counts.',
        functions.flatMap(({ name, counters }) =>
          Object.entries(counters).map(([event, value]) => [{ module: name, event }, value] as const),
        ),
      ),
      metric('sms_gateway_journal_bytes', 'gauge', 'Size of the journal.', [[{}, numberOf(journal['size'])]]),
      metric('sms_gateway_journal_written_bytes_total', 'counter', 'Written to the journal.', [
        [{}, numberOf(journal['written'])],
      ]),
      metric('sms_gateway_journal_syncs_total', 'counter', 'Syncs of the journal.', [[{}, numberOf(journal['syncs'])]]),
      metric('sms_gateway_store_fault', 'gauge', 'Whether nothing can be stored now.', [
        [{}, journal['error'] === undefined ? 0 : 1],
      ]),
      metric('process_cpu_seconds_total', 'counter', 'CPU time of the process.', [
        [{}, (usage.userCPUTime + usage.systemCPUTime) / 1e6],
      ]),
      metric(
        'process_resident_memory_bytes',
        'gauge',
        'Resident memory.',
        self.rss === undefined ? [] : [[{}, self.rss]],
      ),
      metric('sms_gateway_heap_bytes', 'gauge', 'Heap in use.', [[{}, self.heap_used]]),
      metric('sms_gateway_heap_peak_bytes', 'gauge', 'Most of the heap that was in use.', [[{}, self.heap_peak]]),
      metric('sms_gateway_heap_limit_bytes', 'gauge', 'Heap that there is.', [[{}, self.heap_limit]]),
      metric('sms_gateway_lag_seconds', 'gauge', 'By how much timers are late.', [[{}, self.lag / 1000]]),
      metric('sms_gateway_lag_peak_seconds', 'gauge', 'By how much timers were late at most.', [
        [{}, self.lag_peak / 1000],
      ]),
      metric('sms_gateway_memory_scarce', 'gauge', 'Whether work is refused for want of memory.', [
        [{}, self.scarce ? 1 : 0],
      ]),
      metric('process_start_time_seconds', 'gauge', 'When the process started.', [
        [{}, Math.round(this.#services.clock.now() / 1000 - process.uptime())],
      ]),
    ].join('');
  }

  /** What a monitor wants to know in one look. */
  health(): { readonly healthy: boolean; readonly problems: readonly string[] } {
    const { modems, modules, store } = this.#services;
    const statuses = modems.list().map((modem) => modem.status());
    const ready = statuses.filter(({ state }) => state === 'ready');
    const fault = tableOf(store.status()['journal'])['error'];
    const problems = [
      ...(statuses.length === 0 ? ['no modem is configured, or all are switched off'] : []),
      ...statuses
        .filter(({ state }) => state !== 'ready')
        .map(({ name, state, error }) => `modem ${name} is ${state}${error === undefined ? '' : `: ${error}`}`),
      ...(typeof fault === 'string' ? [`nothing can be stored: ${fault}`] : []),
      ...modules.list().flatMap(({ name, error }) => (error === undefined ? [] : [`${name}: ${error}`])),
    ];
    return { healthy: ready.length > 0 && fault === undefined, problems };
  }

  #countSent({ modem = '', time, changed }: OutboxMessage): void {
    count(this.#sent, modem);
    const seconds = Math.max(0, changed - time) / 1000;
    this.#waits += 1;
    this.#waited += seconds;
    for (const [i, bucket] of BUCKETS.entries()) if (seconds <= bucket) this.#buckets[i] = (this.#buckets[i] ?? 0) + 1;
  }

  #histogram(): readonly Sample[] {
    return [
      ...BUCKETS.map((le, i): Sample => [{ le: `${le}` }, this.#buckets[i] ?? 0, '_bucket']),
      [{ le: '+Inf' }, this.#waits, '_bucket'],
      [{}, this.#waited, '_sum'],
      [{}, this.#waits, '_count'],
    ];
  }
}

function count<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

const byLabel = (label: string, counts: ReadonlyMap<string, number> | Readonly<Record<string, number>>) =>
  [...(counts instanceof Map ? counts : Object.entries(counts))].map(
    ([key, value]): Sample => [{ [label]: key }, value],
  );

const tableOf = (value: Json | undefined): JsonObject => (isJsonObject(value) ? value : {});
const numberOf = (value: Json | undefined): number => (typeof value === 'number' ? value : 0);

function metric(
  name: string,
  type: 'gauge' | 'counter' | 'histogram',
  help: string,
  samples: readonly Sample[],
): string {
  const lines = samples.map(([labels, value, suffix = '']) => `${name}${suffix}${labelText(labels)} ${value}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

/** Names of modems and counters come from the config: quoted as the format asks. */
function labelText(labels: Labels): string {
  const quoted = (value: string) => value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${quoted(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}
