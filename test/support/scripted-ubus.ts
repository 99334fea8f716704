import { existsSync, readFileSync, writeFileSync } from 'node:fs';

type Table = Record<string, unknown>;

/** What netifd, rpcd and ioman of the scripted router know. */
export interface RouterState {
  interfaces?: { interface: string; proto: string; up: boolean; pending?: boolean; l3_device?: string }[];
  radios?: Record<string, { up: boolean; pending: boolean }>;
  services?: Record<string, { enabled: boolean; running: boolean }>;
  /** Config as rpcd gives it: package, section, option. */
  config?: Record<string, Record<string, Table>>;
  staged?: Record<string, Record<string, Table>>;
  gps?: Table;
  /** Objects of ioman with their status. */
  ioman?: Record<string, Table>;
  /** ubus status by `object method`, in place of an answer. */
  refuse?: Record<string, number>;
  /** Calls that never come back, as `object method`. */
  hang?: readonly string[];
  /** Commands are taken and nothing happens. */
  stuck?: boolean;
}

/** A router behind a program that is called as `ubus` is, with state that tests read and change. */
export class ScriptedUbus {
  readonly #base: string;

  /** Installs the program as `ubus` in the folder. */
  constructor(base: string, state: RouterState) {
    this.#base = base;
    this.state = state;
    writeFileSync(`${base}/ubus`, `#!${process.execPath}\nconst BASE = ${JSON.stringify(base)};\n${program}`, {
      mode: 0o755,
    });
  }

  get state(): RouterState {
    return JSON.parse(readFileSync(`${this.#base}/router.json`, 'utf8'));
  }

  set state(state: RouterState) {
    writeFileSync(`${this.#base}/router.json`, JSON.stringify({ ...state, staged: state.staged ?? {} }));
  }

  /** `object method arguments` of all calls that can change something, in order. */
  get changes(): readonly string[] {
    if (!existsSync(`${this.#base}/calls`)) return [];
    const lines = readFileSync(`${this.#base}/calls`, 'utf8').split('\n');
    return lines.filter((line) => / (set|add|delete|commit|revert|up|down|reload|init|update) /.test(line));
  }
}

const program = `
import('node:fs').then(({ readFileSync, writeFileSync, appendFileSync, renameSync }) => {
  const file = BASE + '/router.json';
  const before = readFileSync(file, 'utf8');
  const state = JSON.parse(before);
  const { interfaces = [], radios = {}, services = {}, config = {}, ioman = {}, refuse = {}, hang = [] } = state;
  const staged = state.staged;
  const [verb, ...rest] = process.argv[2] === '-S' ? process.argv.slice(5) : process.argv.slice(2);
  const end = (answer, status = 0) => {
    // Questions are asked side by side.
    if (JSON.stringify(state) !== before) {
      writeFileSync(file + process.pid, JSON.stringify(state));
      renameSync(file + process.pid, file);
    }
    if (answer !== undefined) process.stdout.write(JSON.stringify(answer) + '\\n');
    process.exitCode = status;
  };
  if (verb === 'list') {
    const prefix = rest[0].replace(/\\*$/, '');
    const found = Object.keys(ioman).filter((name) => name.startsWith(prefix));
    process.stdout.write(found.map((name) => name + '\\n').join(''));
    process.exitCode = found.length > 0 ? 0 : 4;
    return;
  }
  const [object, method, text] = rest;
  const args = JSON.parse(text);
  appendFileSync(BASE + '/calls', rest.join(' ') + '\\n');
  const call = object + ' ' + method;
  if (hang.includes(call)) return void setInterval(() => {}, 1000);
  if (refuse[call] !== undefined) return end(undefined, refuse[call]);
  const flag = (value, otherwise) => (value === undefined ? otherwise : value !== '0');
  const sections = (name) => staged[name] ?? structuredClone(config[name]);
  const apply = {
    wireless() {
      for (const [name, radio] of Object.entries(radios)) radio.up = !flag(config.wireless[name]?.disabled, false);
    },
    dropbear() {
      services.dropbear.running = Object.values(config.dropbear).some((section) => flag(section.enable, true));
    },
    uhttpd() {
      services.uhttpd.running = Object.values(config.uhttpd).some((s) => s.listen_http || s.listen_https);
    },
  };
  const link = /^network\\.interface\\.(.+)$/.exec(object)?.[1];
  if (link !== undefined) {
    const found = interfaces.find((each) => each.interface === link);
    if (found === undefined) return end(undefined, 4);
    if (!state.stuck) found.up = method === 'up';
    return end();
  }
  if (ioman[object] !== undefined) {
    if (method === 'status') return end(ioman[object]);
    Object.assign(ioman[object], args);
    return end();
  }
  switch (call) {
    case 'network.interface dump':
      return end({ interface: interfaces });
    case 'network.wireless status':
      return end(radios);
    case 'network.wireless up':
    case 'network.wireless down':
      for (const radio of Object.values(radios)) if (!state.stuck) radio.up = method === 'up';
      return end();
    case 'network reload':
      return end();
    case 'rc list':
      if (args.name !== undefined) return services[args.name] ? end({ [args.name]: services[args.name] }) : end(undefined, 4);
      return end(services);
    case 'rc init':
      if (!state.stuck) services[args.name].running = args.action === 'start';
      return end();
    case 'gps info':
      return state.gps === undefined ? end(undefined, 4) : end(state.gps);
    case 'uci get': {
      const all = sections(args.config);
      if (all === undefined) return end(undefined, 4);
      const found = Object.entries(all).map(([name, section], index) => [name, { '.name': name, '.index': index, ...section }]);
      return end({ values: Object.fromEntries(found.filter(([, s]) => args.type === undefined || s['.type'] === args.type)) });
    }
    case 'uci set': {
      const all = (staged[args.config] = sections(args.config));
      if (all[args.section] === undefined) return end(undefined, 4);
      Object.assign(all[args.section], args.values);
      return end();
    }
    case 'uci add': {
      const all = (staged[args.config] = sections(args.config));
      all[args.name] = { '.type': args.type, ...args.values };
      return end({ section: args.name });
    }
    case 'uci delete': {
      const all = (staged[args.config] = sections(args.config));
      delete all[args.section][args.option];
      return end();
    }
    case 'uci revert':
      delete staged[args.config];
      return end();
    case 'uci commit':
      if (staged[args.config] !== undefined) config[args.config] = staged[args.config];
      delete staged[args.config];
      if (!state.stuck) apply[args.config]?.();
      return end();
  }
  end(undefined, 4);
});
`;
