import { existsSync } from 'node:fs';
import { isJsonObject, type Json, type JsonObject } from '../base/json.ts';
import type { RouterFeature } from '../config/schema/rule.ts';
import { type ProgramEnd, type RunOptions, runProgram } from './run-program.ts';

/** Octets: the whole of a large firewall config. */
const MAX_ANSWER = 262_144;

const features: Readonly<Record<RouterFeature, readonly [path: string, lack: string]>> = {
  ubus: ['/bin/ubus', 'there is no ubus (/bin/ubus): it is not OpenWrt'],
  rpcd: ['/sbin/rpcd', 'there is no rpcd (/sbin/rpcd), which reads and writes the config of the router: install rpcd'],
  wireless: ['/etc/config/wireless', 'there is no wireless config (/etc/config/wireless)'],
  network: ['/etc/config/network', 'there is no network config (/etc/config/network)'],
  dropbear: ['/etc/config/dropbear', 'there is no SSH server dropbear (/etc/config/dropbear)'],
  uhttpd: ['/etc/config/uhttpd', 'there is no web server uhttpd (/etc/config/uhttpd)'],
  firewall: ['/etc/config/firewall', 'there is no firewall config (/etc/config/firewall)'],
};

/** What this system lacks for a feature, a sentence; undefined when it has what is needed. `root` stands in front of all paths. */
export function routerLacks(feature: RouterFeature, root = ''): string | undefined {
  const [path, lack] = features[feature];
  return existsSync(root + path) ? undefined : lack;
}

/** The router does not do what is asked for; the message says why, and may be sent to whoever asked. */
export class RouterError extends Error {}

/** Exit codes of `ubus -S call`: libubus, enum ubus_msg_status. */
const statusText: Readonly<Record<number, string>> = {
  2: 'invalid argument',
  3: 'there is no such method',
  4: 'there is no such object or entry',
  6: 'permission denied, see /usr/share/acl.d',
  7: 'no answer in time',
  8: 'not supported',
};

export interface NetworkInterface {
  readonly name: string;
  readonly up: boolean;
  readonly pending: boolean;
  readonly protocol: string;
  /** The device that carries its traffic, while it is up. */
  readonly device?: string;
}

export interface Radio {
  readonly name: string;
  readonly up: boolean;
  readonly pending: boolean;
}

export interface Service {
  readonly name: string;
  /** Whether it starts with the system. */
  readonly enabled: boolean;
  readonly running: boolean;
}

export interface UciSectionValues {
  readonly name: string;
  readonly type: string;
  readonly options: JsonObject;
}

/**
 * What OpenWrt does for whoever asks over ubus: netifd (`network.*`), rpcd (`uci`, `rc`). ubus and not the programs `uci`
 * and `wifi`: those need root, and the gateway has a user of its own. Every method throws RouterError when the router refuses.
 */
export class Router {
  readonly #ubus: string;
  readonly #run: RunOptions;

  /** `run.maxOutput` is not used: answers are read whole. */
  constructor(ubus: string, run: Omit<RunOptions, 'maxOutput'>) {
    this.#ubus = ubus;
    this.#run = { ...run, maxOutput: MAX_ANSWER };
  }

  async call(object: string, method: string, args: JsonObject = {}): Promise<JsonObject> {
    const end = await ubusCall(this.#ubus, object, method, JSON.stringify(args), this.#run);
    this.#run.signal.throwIfAborted();
    if (end.code !== 0) {
      const failure = end.failure !== undefined && isMissing(end.failure) ? 'this system has no ubus' : end.failure;
      const why = failure ?? statusText[end.code ?? 0] ?? `ubus status ${end.code}`;
      throw new RouterError(`ubus ${object} ${method}: ${why}`);
    }
    if (end.output.trim() === '') return {};
    try {
      const answer: unknown = JSON.parse(end.output);
      if (isJsonObject(answer)) return answer;
    } catch {
      // As any other answer that is no table.
    }
    throw new RouterError(`ubus ${object} ${method}: the answer is no JSON object`);
  }

  /** The names of objects on ubus; `pattern` may end with `*`. */
  async objects(pattern: string): Promise<readonly string[]> {
    const { code, failure, output } = await runProgram([this.#ubus, 'list', pattern], this.#run);
    this.#run.signal.throwIfAborted();
    // A system without ubus has no objects.
    if (failure !== undefined && !isMissing(failure)) throw new RouterError(`ubus list: ${failure}`);
    return code === 0 ? output.split('\n').filter((line) => /^[A-Za-z0-9_.-]+$/.test(line)) : [];
  }

  async interfaces(): Promise<readonly NetworkInterface[]> {
    const { interface: list } = await this.call('network.interface', 'dump');
    return arrayOf(list)
      .filter(isJsonObject)
      .map((each) => ({
        name: text(each['interface']),
        up: each['up'] === true,
        pending: each['pending'] === true,
        protocol: text(each['proto']),
        ...(typeof each['l3_device'] === 'string' && { device: each['l3_device'] }),
      }));
  }

  async switchInterface(name: string, on: boolean): Promise<void> {
    await this.call(`network.interface.${name}`, on ? 'up' : 'down');
  }

  async radios(): Promise<readonly Radio[]> {
    return Object.entries(await this.call('network.wireless', 'status')).flatMap(([name, radio]) =>
      isJsonObject(radio) ? [{ name, up: radio['up'] === true, pending: radio['pending'] === true }] : [],
    );
  }

  /** All radios, until the system starts again or the network config is loaded again. */
  async switchRadios(on: boolean): Promise<void> {
    await this.call('network.wireless', on ? 'up' : 'down');
  }

  /** The names of the scripts in /etc/init.d. */
  async services(): Promise<readonly string[]> {
    return Object.keys(await this.call('rc', 'list', { skip_running_check: true }));
  }

  /** Undefined when there is no such script in /etc/init.d. */
  async service(name: string): Promise<Service | undefined> {
    const service = (await this.call('rc', 'list', { name }))[name];
    if (!isJsonObject(service)) return undefined;
    return { name, enabled: service['enabled'] === true, running: service['running'] === true };
  }

  async switchService(name: string, on: boolean): Promise<void> {
    await this.call('rc', 'init', { name, action: on ? 'start' : 'stop' });
  }

  /** The sections of a config with what is staged for it, in their order. */
  async sections(config: string, type?: string): Promise<readonly UciSectionValues[]> {
    const { values } = await this.call('uci', 'get', { config, ...(type !== undefined && { type }) });
    if (!isJsonObject(values)) return [];
    return Object.values(values)
      .filter(isJsonObject)
      .sort((a, b) => Number(a['.index']) - Number(b['.index']))
      .map((options) => ({ name: text(options['.name']), type: text(options['.type']), options }));
  }

  /** Undefined when the option is not set. */
  async option(config: string, section: string, option: string): Promise<Json | undefined> {
    const found = (await this.sections(config)).find(({ name }) => name === section);
    return found && ownOption(found, option);
  }

  /**
   * Makes the changes and commits them; rpcd then has the services of the config reload it. When one cannot be made, what
   * is staged is dropped again.
   */
  async change(config: string, changes: readonly UciChange[]): Promise<void> {
    if (changes.length === 0) return;
    try {
      for (const { method, ...args } of changes) await this.call('uci', method, { config, ...args });
      await this.call('uci', 'commit', { config });
    } catch (error) {
      await this.call('uci', 'revert', { config }).catch(() => undefined);
      throw error;
    }
  }
}

export type UciChange =
  | { readonly method: 'set'; readonly section: string; readonly values: JsonObject }
  | { readonly method: 'add'; readonly type: string; readonly name: string; readonly values: JsonObject }
  | { readonly method: 'delete'; readonly section: string; readonly option: string };

/** A call over the system's ubus, by its program. `args` is a JSON object. */
export function ubusCall(
  ubus: string,
  object: string,
  method: string,
  args: string,
  options: RunOptions,
): Promise<ProgramEnd> {
  const seconds = String(Math.max(1, Math.floor(options.deadline / 1000)));
  return runProgram([ubus, '-S', '-t', seconds, 'call', object, method, args], options);
}

/** Whether a program did not start because it is not there. */
const isMissing = (failure: string): boolean => failure.includes('ENOENT');

/** A name from an SMS may be one that every object has. */
export const ownOption = ({ options }: UciSectionValues, option: string): Json | undefined =>
  Object.hasOwn(options, option) ? options[option] : undefined;

/** A flag of UCI as its programs read it. */
export const uciFlag = (value: Json | undefined, otherwise: boolean): boolean =>
  typeof value === 'string' && value !== '' ? /^(1|on|true|yes|enabled)$/.test(value) : otherwise;

export const arrayOf = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : []);

const text = (value: Json | undefined): string => (typeof value === 'string' ? value : '');
