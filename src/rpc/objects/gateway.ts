import { Memory } from '../../access/memory.ts';
import { type Clock, isoTime } from '../../base/clock.ts';
import { defined, type JsonObject } from '../../base/json.ts';
import { makeAnswer } from '../../base/memory-pool.ts';
import type { ConfigError } from '../../config/config.ts';
import type { Outbox } from '../../store/outbox/outbox.ts';
import { implement, type RpcObject, type Signatures } from '../method.ts';
import type { Metrics } from '../metrics.ts';
import { whyWaiting } from './message/waiting.ts';
import { type ModemDirectory, modemAnswer } from './modem.ts';
import { type ModuleDirectory, moduleFields } from './module.ts';

/** Reads the config again and applies what changed. */
export interface ReloadSource {
  /** Resolves to the names of the sections that changed. */
  reload(): Promise<readonly string[]>;
  /** Faults of the config as it was last read. */
  faults(): readonly ConfigError[];
  /** What somebody should do about it, sentences. */
  warnings(): Promise<readonly string[]>;
}

export interface GatewayServices {
  readonly version: string;
  readonly clock: Clock;
  readonly modems: ModemDirectory;
  readonly modules: ModuleDirectory;
  readonly outbox: Pick<Outbox, 'counts' | 'longestWaiting' | 'ceilings'>;
  /** State of the store: journal, counts of the inbox. */
  readonly store: { status(): JsonObject; warnings(): readonly string[] };
  readonly config: ReloadSource;
  /** What happens, for monitors. */
  readonly metrics: Pick<Metrics, 'text' | 'health'>;
  /** Memory of the process, and how late it is. */
  process(): JsonObject;
  /** What is in use of each open door. */
  doors(): JsonObject;
  /** Shared with the other doors; its own when absent. */
  readonly memory?: Memory;
  /** What it reads and writes, and where it listens. */
  readonly files: { readonly config: string; readonly store: string; readonly socket: string };
  /** Every section and option, from the schema table. */
  describe(): JsonObject;
}

const configErrors =
  'Array of faults: `severity` (`error` or `warning`), `file`, `message`; `line`, `section`, `option` as far as known.';

export const gatewaySignatures = {
  status: {
    help: 'Returns the state of the whole gateway.',
    args: {},
    result: {
      version: 'Version of the gateway.',
      uptime: 'Seconds since it started.',
      modems: 'As `sms_gateway.modem list`.',
      modules: 'As `sms_gateway.module list`.',
      queue: 'How many outgoing messages are in each state.',
      oldest:
        'The outgoing message that has been due for longest, or, while none is due, will be next: `id`, `number`, `time`, `due` when it was not to be sent at once, and `error`, why it waits; only when one waits.',
      store:
        'The message store. `inbox`: `used` of `total` messages, `unread`, how many of those used are `incomplete` and not shown yet; how many others are `passing`, stored only until functions have them; and how many parts stay on a modem for want of room (`left_on_modem`). `journal`: the file, with `damaged`, how many damaged records were found in it since the start.',
      files: 'Paths: the `config` file, the directory `store`, and the `socket`.',
      process:
        'The process itself: `rss`, `heap_used`, `heap_peak` (greatest since the start) and `heap_limit` in octets; `lag`, by how many ms its timers are late, and `lag_peak`; `scarce`, whether memory is so short that listings, sends and logins of strangers are refused, and `times_scarce`.',
      doors:
        'Door → what is in use of it: `used` of `limit` connections, how many are `silent`, have been `evicted` or `refused`, and of logins `locked_out`, `slowed_accounts`, `waiting`. Under `answers`, `work`, `storing` and `input`: octets of memory that all doors together use, how many are `waiting` for some, and how many were `refused` or `dropped`. `docs/security.md` has the limits.',
      limits:
        'What is used of the limits of SMS, each with `minute`, `hour` and `day`, and these with `used` and `limit` (0: none): of `all`, of each of `functions`, and of the `recipient` that got most within a day, with its `number`. `refused`: how often one was in the way since the start.',
      warnings: 'Array of sentences: what will be refused, or fails, unless somebody does something.',
      config_errors: configErrors,
    },
  },
  describe: {
    help: 'Describes every section and option of the config: type, range, default, label and help.',
    args: {},
    result: { sections: 'Section → option → description.' },
  },
  reload: {
    help: 'Reads the config again and restarts what changed. A section with a fault keeps its last good values.',
    args: {},
    result: { sections: 'Names of the sections that changed.', config_errors: configErrors },
  },
  metrics: {
    help: 'Returns the metrics in the text format of Prometheus.',
    args: {},
    result: { text: 'One line a sample; the same as `/metrics` of the built-in web server.' },
  },
  health: {
    help: 'Says whether the gateway can send, receive and store.',
    args: {},
    result: {
      healthy: 'A modem is ready, and the store works.',
      problems: 'Array of sentences: everything that fails now.',
    },
  },
  version: { help: 'Returns the version.', args: {}, result: { version: 'Version of the gateway.' } },
} as const satisfies Signatures;

/** Octets that the description takes, as fields and as JSON. */
const DESCRIPTION = 524_288;

/** `sms_gateway`. */
export function gatewayObject(services: GatewayServices): RpcObject {
  const { version, clock, modems, modules, outbox, store, config } = services;
  const { memory = new Memory(clock) } = services;
  const started = clock.monotonic();
  const oldest = async () => {
    const first = await outbox.longestWaiting();
    if (first === undefined) return undefined;
    const { id, number, time, notBefore } = first;
    const due = notBefore === undefined ? undefined : isoTime(notBefore);
    return defined({ id, number, time: isoTime(time), due, error: whyWaiting(first, modems, clock.now()) });
  };
  const faults = () => config.faults().map((fault) => ({ ...fault }));
  return implement('sms_gateway', gatewaySignatures, {
    status: async () =>
      defined({
        version,
        uptime: Math.floor((clock.monotonic() - started) / 1000),
        modems: modems.list().map((modem) => modemAnswer(modems, modem)),
        modules: modules.list().map(moduleFields),
        queue: { ...outbox.counts() },
        oldest: await oldest(),
        store: store.status(),
        files: { ...services.files },
        process: services.process(),
        doors: services.doors(),
        limits: outbox.ceilings(),
        warnings: [...store.warnings(), ...(await config.warnings())],
        config_errors: faults(),
      }),
    describe: (_, { room, signal }) =>
      makeAnswer(room, memory.answers, DESCRIPTION, signal, async () => ({ sections: services.describe() })),
    reload: async () => {
      const sections = await config.reload();
      return { sections, config_errors: faults() };
    },
    metrics: async () => ({ text: services.metrics.text() }),
    health: async () => ({ ...services.metrics.health() }),
    version: async () => ({ version }),
  });
}
