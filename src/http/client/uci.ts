import { rpc } from './rpc.ts';

export type UciValue = string | readonly string[];
export type Section = Record<string, unknown> & {
  '.name': string;
  '.type': string;
  '.anonymous'?: boolean;
  '.index'?: number;
};

type Table<T> = Map<string, Map<string, T>>;

const call = {
  load: rpc.declare<Record<string, Section>>({
    object: 'uci',
    method: 'get',
    params: ['config'],
    expect: { values: {} },
    reject: true,
  }),
  order: rpc.declare({ object: 'uci', method: 'order', params: ['config', 'sections'], reject: true }),
  add: rpc.declare<string>({
    object: 'uci',
    method: 'add',
    params: ['config', 'type', 'name', 'values'],
    expect: { section: '' },
    reject: true,
  }),
  set: rpc.declare({ object: 'uci', method: 'set', params: ['config', 'section', 'values'], reject: true }),
  delete: rpc.declare({ object: 'uci', method: 'delete', params: ['config', 'section', 'options'], reject: true }),
  apply: rpc.declare<number>({ object: 'uci', method: 'apply', params: ['timeout', 'rollback'] }),
  confirm: rpc.declare<number>({ object: 'uci', method: 'confirm' }),
  revert: rpc.declare({ object: 'uci', method: 'revert', params: ['config'], reject: true }),
  changes: rpc.declare<Record<string, readonly (readonly string[])[]>>({
    object: 'uci',
    method: 'changes',
    expect: { changes: {} },
  }),
};

let created = 0;
const values: Table<unknown> = new Map();
const loaded = new Map<string, Promise<unknown>>();
const creates: Map<string, Map<string, Section>> = new Map();
const changes: Table<Record<string, unknown>> = new Map();
/** `true` for the whole section. */
const deletes: Table<true | Set<string>> = new Map();
const reorders = new Set<string>();

function inner<T>(table: Table<T>, config: string): Map<string, T> {
  const found = table.get(config) ?? new Map<string, T>();
  table.set(config, found);
  return found;
}

const loadedSection = (config: string, sid: string): Section | undefined =>
  values.get(config)?.get(sid) as Section | undefined;

/** The section with what is changed in it; null when the file has no such section. */
function section(config: string, sid: string): Section | null {
  const made = creates.get(config)?.get(sid);
  if (made !== undefined) return { ...made };
  const base = loadedSection(config, sid);
  const gone = deletes.get(config)?.get(sid);
  if (base === undefined || gone === true) return null;
  const merged: Section = { ...base, ...changes.get(config)?.get(sid) };
  for (const option of gone ?? []) delete merged[option];
  return merged;
}

/** LuCI's `uci`: the config as it is on the server, and what is changed here and not yet saved. */
export const uci = {
  async load(configs: string | readonly string[]): Promise<readonly string[]> {
    const names = typeof configs === 'string' ? [configs] : configs;
    await Promise.all(
      names.map((config) => {
        const known = loaded.get(config);
        if (known !== undefined) return known;
        const loading = call.load(config).then(
          (found) => void values.set(config, new Map(Object.entries(found))),
          (error) => {
            loaded.delete(config);
            throw error;
          },
        );
        loaded.set(config, loading);
        return loading;
      }),
    );
    return names;
  },

  unload(configs: string | readonly string[]): void {
    for (const config of typeof configs === 'string' ? [configs] : configs) {
      for (const table of [values, loaded, creates, changes, deletes]) table.delete(config);
      reorders.delete(config);
    }
  },

  add(config: string, type: string, name?: string): string {
    const sid = name ?? `new${(++created).toString(16).padStart(6, '0')}`;
    inner(creates, config).set(sid, {
      '.type': type,
      '.name': sid,
      '.create': name ?? '',
      '.anonymous': name === undefined || name === null,
      '.index': 1000 + created,
    });
    return sid;
  },

  clone(config: string, type: string, from: string, _put?: boolean, name?: string): string {
    const source = section(config, from) ?? {};
    const sid = uci.add(config, type, name);
    const made = inner(creates, config).get(sid);
    for (const [option, value] of Object.entries(source)) if (!option.startsWith('.') && made) made[option] = value;
    return sid;
  },

  remove(config: string, sid: string): void {
    if (creates.get(config)?.delete(sid)) return;
    if (loadedSection(config, sid) === undefined) return;
    changes.get(config)?.delete(sid);
    inner(deletes, config).set(sid, true);
  },

  sections(config: string, type?: string | null, callback?: (section: Section, sid: string) => void): Section[] {
    const ids = [...(values.get(config)?.keys() ?? []), ...(creates.get(config)?.keys() ?? [])];
    const found = [...new Set(ids)]
      .map((sid) => section(config, sid))
      .filter(
        (each): each is Section => each !== null && (type === undefined || type === null || each['.type'] === type),
      )
      .sort((a, b) => (a['.index'] ?? 0) - (b['.index'] ?? 0));
    if (typeof callback === 'function') for (const each of found) callback(each, each['.name']);
    return found;
  },

  get(config: string, sid: string, option?: string | null): unknown {
    if (!values.has(config)) return null;
    const found = section(config, sid);
    if (found === null) return null;
    return option === undefined || option === null ? found : (found[option] ?? null);
  },

  get_bool(config: string, sid: string, option: string): boolean {
    const value = String(uci.get(config, sid, option) ?? '').toLowerCase();
    return value === '1' || value === 'on' || value === 'yes' || value === 'true' || value === 'enabled';
  },

  get_first(config: string, type: string, option?: string): unknown {
    const first = uci.sections(config, type)[0];
    return first === undefined ? null : uci.get(config, first['.name'], option);
  },

  /** An empty value, null and undefined delete. In a section that is not there nothing happens. */
  set(config: string, sid: string, option: string, value: unknown): void {
    if (sid === undefined || sid === null || option === undefined || option === null || option.startsWith('.')) return;
    const made = creates.get(config)?.get(sid);
    const empty = value === null || value === undefined || value === '';
    if (made !== undefined) {
      if (empty) delete made[option];
      else made[option] = value;
      return;
    }
    const base = loadedSection(config, sid);
    const gone = deletes.get(config)?.get(sid);
    if (base === undefined || gone === true) return;
    if (!empty) {
      gone?.delete(option);
      if (gone?.size === 0) deletes.get(config)?.delete(sid);
      const changed = inner(changes, config).get(sid) ?? {};
      changed[option] = value;
      inner(changes, config).set(sid, changed);
      return;
    }
    const changed = changes.get(config)?.get(sid);
    if (changed !== undefined) {
      delete changed[option];
      if (Object.keys(changed).length === 0) changes.get(config)?.delete(sid);
    }
    if (Object.hasOwn(base, option)) inner(deletes, config).set(sid, new Set([...(gone ?? []), option]));
  },

  unset(config: string, sid: string, option: string): void {
    uci.set(config, sid, option, null);
  },

  set_first(config: string, type: string, option: string, value: unknown): void {
    const first = uci.sections(config, type)[0];
    if (first !== undefined) uci.set(config, first['.name'], option, value);
  },

  unset_first(config: string, type: string, option: string): void {
    uci.set_first(config, type, option, null);
  },

  /** Puts a section before another one, or behind it; at the end without another one. */
  move(config: string, sid: string, other: string | null, after?: boolean): boolean {
    const all = uci.sections(config);
    const moved = all.find((each) => each['.name'] === sid);
    if (moved === undefined) return false;
    const rest = all.filter((each) => each !== moved);
    const at = rest.findIndex((each) => each['.name'] === other);
    if (at === -1) rest.push(moved);
    else rest.splice(after === true ? at + 1 : at, 0, moved);
    rest.forEach((each, index) => {
      const held = creates.get(config)?.get(each['.name']) ?? loadedSection(config, each['.name']);
      if (held !== undefined) held['.index'] = index;
    });
    reorders.add(config);
    return true;
  },

  /** Hands everything that is changed to the server, where it waits until it is applied; then loads the configs again. */
  async save(): Promise<void> {
    const touched = new Set(
      [...creates, ...changes, ...deletes].filter(([, table]) => table.size > 0).map(([config]) => config),
    );
    for (const config of reorders) touched.add(config);
    const tasks: Promise<unknown>[] = [];
    for (const [config, table] of deletes) {
      for (const [sid, gone] of table) tasks.push(call.delete(config, sid, gone === true ? undefined : [...gone]));
    }
    for (const [config, table] of creates) {
      for (const made of table.values()) {
        const options = Object.fromEntries(Object.entries(made).filter(([option]) => !option.startsWith('.')));
        const name = made['.create'] === '' ? undefined : made['.create'];
        const adding = call.add(config, made['.type'], name, options).then((sid) => {
          made['.create'] = sid;
        });
        tasks.push(adding);
      }
    }
    for (const [config, table] of changes) {
      for (const [sid, changed] of table) tasks.push(call.set(config, sid, changed));
    }
    await Promise.all(tasks);
    await Promise.all(
      [...reorders].map((config) => {
        const ids = uci
          .sections(config)
          .map((each) => (typeof each['.create'] === 'string' ? each['.create'] : each['.name']));
        return call.order(config, ids);
      }),
    );
    const configs = [...touched];
    uci.unload(configs);
    await uci.load(configs);
  },

  /** Puts what waits on the server into force, and confirms it. */
  async apply(timeout = 10): Promise<number> {
    const status = await call.apply(timeout, true);
    if (status !== 0) return status;
    return await call.confirm();
  },

  changes: (): Promise<Record<string, readonly (readonly string[])[]>> => call.changes(),

  revert: (config: string): Promise<unknown> => call.revert(config),
};
