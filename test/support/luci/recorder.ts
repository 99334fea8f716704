/**
 * Runs a LuCI view without a browser, on stand-ins that only note which form it builds: what a view says about the
 * options of the config is compared with the schema table.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { extendString } from '../../../src/http/client/text.ts';

const resources = join(import.meta.dirname, '../../../files/www/luci-static/resources');

export const pagesWithoutForm: readonly string[] = ['overview', 'messages'];

type Anything = Record<string, unknown>;

export interface RecordedOption {
  readonly kind: string;
  readonly option: string;
  readonly title: unknown;
  readonly description: unknown;
  readonly tab: string | undefined;
  readonly default: unknown;
  readonly rmempty: boolean;
  readonly needed: boolean | undefined;
  readonly retain: boolean | undefined;
  readonly placeholder: string | undefined;
  readonly password: boolean | undefined;
  readonly datatype: string | undefined;
  readonly keylist: readonly string[];
  readonly deps: readonly unknown[];
  validate(section_id: string, value: unknown): unknown;
}

export interface RecordedSection {
  readonly kind: string;
  /** Name of a single section, type of a repeated one. */
  readonly name: string;
  readonly tabs: readonly string[];
  readonly children: readonly RecordedOption[];
}

class Element {
  kind = '';
  children: unknown[] = [];
  title: unknown;
  description: unknown;
}

class Option extends Element {
  default: unknown;
  rmempty = true;
  keylist: string[] = [];
  deps: unknown[] = [];
  option = '';
  tab: string | undefined;
  map: unknown;
  section: unknown;

  value(key: unknown): void {
    this.keylist.push(String(key));
  }
  depends(...given: unknown[]): void {
    this.deps.push(given);
  }
  validate(): unknown {
    return true;
  }
  parse(): unknown {
    return undefined;
  }
  formvalue(): unknown {
    return null;
  }
  isActive(): boolean {
    return true;
  }
  renderWidget(): unknown {
    return {};
  }
}

const kinds = ['Value', 'DynamicList', 'ListValue', 'Flag', 'TextValue', 'DummyValue', 'Button', 'MultiValue'] as const;
const optionClasses = Object.fromEntries(kinds.map((kind) => [kind, class extends Option {}]));
const kindOf = (made: Option): string => kinds.find((kind) => made.constructor === optionClasses[kind]) ?? '';

class Section extends Element {
  name = '';
  tabs: string[] = [];
  map: unknown;

  tab(name: string): void {
    this.tabs.push(name);
  }
  option(make: new () => Option, option: string, title?: unknown, description?: unknown): Option {
    const made = new make();
    Object.assign(made, { option, title, description, section: this, map: this.map, kind: kindOf(made) });
    this.children.push(made);
    return made;
  }
  taboption(tab: string, make: new () => Option, option: string, ...rest: unknown[]): Option {
    if (!this.tabs.includes(tab)) throw new Error(`no tab ${tab}`);
    return Object.assign(this.option(make, option, ...rest), { tab });
  }
  /** Every function is switched on: what is needed then must be asked for. */
  formvalue(_section_id: string, option: string): unknown {
    return /^enabled?$/.test(option) ? '1' : null;
  }
}
class NamedSection extends Section {}
class GridSection extends Section {
  handleAdd(): void {}
}

const baseclass = {
  extend(properties: Anything) {
    class Made {
      constructor(...args: unknown[]) {
        const init = properties['__init__'];
        if (typeof init === 'function') init.apply(this, args);
      }
    }
    Object.assign(Made.prototype, properties);
    return Made;
  },
};

const node: Anything = { appendChild: () => node, classList: { toggle() {} } };
const nothing = () => undefined;

/** The form of a view: its sections with their options. `change` is made to each source before it runs. */
export async function recordView(
  view: string,
  change: (source: string) => string = (source) => source,
): Promise<readonly RecordedSection[]> {
  extendString();
  const recorded: Section[] = [];
  class FormMap extends Element {
    section(make: new () => Section, ...args: string[]): Section {
      const made = new make();
      const single = made instanceof NamedSection;
      const [name = ''] = args;
      Object.assign(made, { name, map: this, kind: single ? 'NamedSection' : 'GridSection' });
      const [title, description] = args.slice(single ? 2 : 1);
      Object.assign(made, { title, description });
      recorded.push(made);
      return made;
    }
    async render(): Promise<unknown> {
      return node;
    }
  }
  const builtIn: Anything = {
    view: baseclass,
    baseclass,
    form: { Map: FormMap, NamedSection, GridSection, ...optionClasses },
    uci: { load: async () => [], get: nothing, add: nothing, sections: () => [], changes: async () => ({}) },
    rpc: { declare: () => async () => ({}) },
    poll: { add: nothing },
    dom: { content: nothing },
    ui: { createHandlerFn: () => nothing },
  };
  const L = {
    toArray: (value: unknown) => (value === undefined || value === null ? [] : [value].flat()),
    isObject: (value: unknown) => typeof value === 'object' && value !== null,
    url: (...parts: string[]) => parts.join('/'),
    resolveDefault: async (value: unknown) => value,
    hasViewPermission: () => true,
    env: {},
    ui: builtIn['ui'],
  };
  const loaded: Anything = {};
  const load = (name: string): unknown => {
    if (name in builtIn) return builtIn[name];
    if (!(name in loaded)) {
      const source = readFileSync(join(resources, `${name.replaceAll('.', '/')}.js`), 'utf8');
      const needs = [...source.matchAll(/^'require ([\w.]+)(?: as (\w+))?';$/gm)];
      const names = needs.map(([, module = '', alias]) => alias ?? module.replaceAll('.', '_'));
      const body = new Function('E', '_', 'N_', 'L', 'window', 'document', ...names, change(source));
      const texts = { _: (text: string) => text, N_: (_n: number, one: string) => one };
      const page = { location: { hash: '', origin: 'http://router' }, navigator: { language: 'en' } };
      const made = body(
        () => node,
        texts._,
        texts.N_,
        L,
        page,
        { documentElement: { lang: 'en' } },
        ...needs.map(([, m = '']) => load(m)),
      );
      loaded[name] = new made();
    }
    return loaded[name];
  };
  const instance = load(`view.sms_gateway.${view}`) as {
    load(): Promise<unknown>;
    render(data: unknown): Promise<unknown>;
  };
  await instance.render(await instance.load());
  return recorded as unknown as readonly RecordedSection[];
}
