import { Class, type Properties } from './class.ts';
import { dom, E } from './dom.ts';
import { env } from './env.ts';
import { FormMap, JSONMap } from './form-map.ts';
import { AbstractSection, NamedSection, TypedSection } from './form-section.ts';
import { GridSection, TableSection } from './form-table.ts';
import {
  AbstractValue,
  Button,
  DummyValue,
  DynamicList,
  Flag,
  HiddenValue,
  ListValue,
  MultiValue,
  RichListValue,
  SectionValue,
  TextValue,
  Value,
} from './form-value.ts';
import { poll } from './poll.ts';
import { access, rpc } from './rpc.ts';
import { _ } from './text.ts';
import { uci } from './uci.ts';
import { Table, ui } from './ui.ts';
import { View } from './view.ts';
import { Widget } from './widgets.ts';

/** Views build on these and `require` them; `E`, `_`, `N_` and `L` are there without. */
const baseclass = Class;

const form = {
  Map: FormMap,
  JSONMap,
  AbstractSection,
  AbstractValue,
  TypedSection,
  TableSection,
  GridSection,
  NamedSection,
  Value,
  DynamicList,
  ListValue,
  RichListValue,
  MultiValue,
  Flag,
  DummyValue,
  Button,
  HiddenValue,
  TextValue,
  SectionValue,
};

const SESSION_KEY = 'luci-session-store';

/** LuCI's `session`: what the browser keeps for as long as the tab is open. */
const session = {
  getID: () => env['sessionid'],
  getLocalData(key?: string): unknown {
    const all = JSON.parse(sessionStorage.getItem(SESSION_KEY) ?? '{}');
    return key === undefined || key === null ? all : (all[key] ?? null);
  },
  setLocalData(key: string, value: unknown): boolean {
    const all = JSON.parse(sessionStorage.getItem(SESSION_KEY) ?? '{}');
    if (value === null || value === undefined) delete all[key];
    else all[key] = value;
    try {
      sessionStorage.setItem(SESSION_KEY, JSON.stringify(all));
      return true;
    } catch {
      return false;
    }
  },
};

const builtIn: Readonly<Record<string, unknown>> = {
  baseclass,
  dom,
  form,
  poll,
  rpc,
  session,
  uci,
  ui: Object.assign(ui, { Table, AbstractElement: Widget }),
  view: View,
};

/** Name and the name that it goes by in the source. */
type Requirement = readonly [name: string, alias: string];
type Factory = (...dependencies: unknown[]) => unknown;

interface Definition {
  readonly requirements: readonly Requirement[];
  readonly factory: Factory;
}

const defined = new Map<string, Definition>();
const loading = new Map<string, Promise<unknown>>();

async function loadScript(name: string): Promise<void> {
  const url = env.modules[name];
  if (url === undefined) throw new Error(`${_('There is no module of this name')}: ${name}`);
  await new Promise<void>((resolve, reject) => {
    const script = document.createElement('script');
    script.src = url;
    script.addEventListener('load', () => resolve());
    script.addEventListener('error', () =>
      reject(new Error(`${_('A part of the page could not be loaded')}: ${name}`)),
    );
    document.head.append(script);
  });
}

async function instantiate(name: string): Promise<unknown> {
  if (!defined.has(name)) await loadScript(name);
  const definition = defined.get(name);
  if (definition === undefined) throw new Error(`${name} does not define itself`);
  const dependencies = await Promise.all(definition.requirements.map(([required]) => L.require(required)));
  const made = definition.factory(...dependencies);
  if (!Class.isSubclass(made)) throw new TypeError(`"${name}" factory yields invalid constructor`);
  return new (made as new () => unknown)();
}

/** Compares as people do: a2 before a10. */
function naturalCompare(...values: readonly unknown[]): number {
  const [a, b] = values.map((value) => (value === null || value === undefined ? '' : String(value)));
  return (a ?? '').localeCompare(b ?? '', undefined, { numeric: true });
}

/** LuCI's `L`. */
export const L = {
  env,
  Class,
  Poll: poll,
  dom,
  ui,
  view: View,

  url: (...parts: readonly unknown[]): string => `/${parts.flat().map(String).join('/')}`.replace(/\/+/g, '/'),
  path: (prefix: string, parts: readonly string[]): string => [prefix, ...parts].join('/').replace(/\/+/g, '/'),
  resource: (...parts: readonly string[]): string => `/luci-static/resources/${parts.join('/')}`,
  media: (...parts: readonly string[]): string => `/pages/${parts.join('/')}`,
  fspath: (...parts: readonly string[]): string => `/${parts.join('/')}`.replace(/\/+/g, '/'),
  location: (): string => `/${env.requestpath.join('/')}`,

  bind(fn: (...args: unknown[]) => unknown, self: unknown, ...args: unknown[]): (...more: unknown[]) => unknown {
    return (...more) => fn.apply(self, [...args, ...more]);
  },

  isObject: (value: unknown): boolean => typeof value === 'object' && value !== null,
  isArguments: (value: unknown): boolean => Object.prototype.toString.call(value) === '[object Arguments]',

  /** As LuCI: a text is split at blanks. */
  toArray(value: unknown): unknown[] {
    if (value === null || value === undefined) return [];
    if (Array.isArray(value)) return value;
    if (typeof value === 'object') return Symbol.iterator in value ? [...(value as Iterable<unknown>)] : [value];
    const text = String(value).trim();
    return text === '' ? [] : text.split(/\s+/);
  },

  sortedKeys(object: unknown, key?: string | null, mode?: 'addr' | 'num' | 'text'): string[] {
    if (typeof object !== 'object' || object === null) return [];
    const entries = Object.entries(object).map(
      ([name, value]) => [name, key ? (value as Record<string, unknown>)?.[key] : name] as const,
    );
    const compare = mode === 'num' ? (a: unknown, b: unknown) => Number(a) - Number(b) : naturalCompare;
    return entries
      .filter(([, value]) => value !== undefined && value !== null)
      .sort((a, b) => compare(a[1], b[1]))
      .map(([name]) => name);
  },

  sortedArray: (list: unknown): unknown[] => [...L.toArray(list)].sort(naturalCompare),
  naturalCompare,

  resolveDefault<T>(promise: unknown, fallback: T): Promise<unknown> {
    return Promise.resolve(promise).catch(() => fallback);
  },

  raise(type: string | null, text?: string, ...args: unknown[]): never {
    const error = new Error((text ?? _('Unspecified error')).format(...args));
    error.name = type ?? 'Error';
    throw error;
  },

  error(type: unknown, text?: string, ...args: unknown[]): never {
    const error =
      type instanceof Error ? type : new Error((text ?? String(type ?? _('Unspecified error'))).format(...args));
    ui.addNotification(_('Error'), E('p', {}, [error.message]), 'danger');
    throw error;
  },

  /** Whether the page may be changed, only be looked at, or neither. */
  hasViewPermission: (): boolean | null => !env.readonly,
  hasSystemFeature: (): null => null,

  require(name: string): Promise<unknown> {
    if (Object.hasOwn(builtIn, name)) return Promise.resolve(builtIn[name]);
    const known = loading.get(name) ?? instantiate(name);
    loading.set(name, known);
    return known;
  },

  /** What the server wraps the source of a module in. */
  define(name: string, requirements: readonly Requirement[], factory: Factory): void {
    defined.set(name, { requirements, factory });
  },

  async resolveSession(): Promise<boolean> {
    return await access('ubus', 'uci', 'get').catch(() => false);
  },

  notifySessionExpiry(): void {
    poll.end();
    if (document.querySelector('.session-expired') !== null) return;
    ui.showModal(_('Session expired'), [
      E('div', { class: 'alert-message warning session-expired' }, [
        _('A new login is required since the authentication session expired.'),
      ]),
      E('div', { class: 'right button-row' }, [
        E('button', { type: 'button', class: 'btn cbi-button-positive important', click: () => location.reload() }, [
          _('Log in…'),
        ]),
      ]),
    ]);
  },
};

export type { Properties };
