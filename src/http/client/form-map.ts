import { dom, E } from './dom.ts';
import { FormElement, matches } from './form-element.ts';
import type { AbstractSection } from './form-section.ts';
import type { AbstractValue, Dependency } from './form-value.ts';
import { access } from './rpc.ts';
import { _ } from './text.ts';
import { uci } from './uci.ts';
import { ui } from './ui.ts';

type SectionClass = { new (...args: never[]): AbstractSection };

/** A form over one or more configs. */
export class FormMap extends FormElement {
  readonly config: string;
  readonly parsechain: string[];
  readonly data = uci;
  readonly: boolean | undefined;
  tabbed = false;
  root: HTMLElement | undefined;
  /** Of a form in a dialogue: the form that it belongs to, and the section that is edited. */
  parent: FormMap | undefined;
  section_id: string | undefined;
  #access: boolean | undefined;

  constructor(config: string, title?: unknown, description?: unknown) {
    super(title, description);
    this.config = config;
    this.parsechain = [config];
  }

  section<T extends AbstractSection>(sectionClass: { new (...args: never[]): T }, ...args: unknown[]): T {
    const section = new (sectionClass as SectionClass as unknown as new (...args: unknown[]) => T)(this, ...args);
    this.append(section);
    return section;
  }

  chain(config: string): void {
    if (!this.parsechain.includes(config)) this.parsechain.push(config);
  }

  get sections(): readonly AbstractSection[] {
    return this.children as AbstractSection[];
  }

  async load(): Promise<unknown> {
    this.#access ??= await access('uci', this.config, 'write').catch(() => false);
    if (this.readonly === undefined) this.readonly = this.#access === false;
    await this.data.load(this.parsechain);
    return Promise.all(this.sections.map((section) => section.load()));
  }

  async parse(): Promise<unknown> {
    const results = await Promise.allSettled(this.sections.map((section) => section.parse()));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    return results;
  }

  /** Checks the fields, hands what changed to the server and draws the form again. */
  async save(callback?: (() => unknown) | null, silent?: boolean): Promise<void> {
    this.checkDepends();
    try {
      await this.parse();
      if (typeof callback === 'function') await callback();
      await this.data.save();
      await this.load();
    } catch (error) {
      if (this.root !== undefined) ui.tabs.showFault(this.root);
      if (silent !== true) this.#showFault(error);
      throw error;
    }
    await this.renderContents();
  }

  #showFault(error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    ui.showModal(_('Save error'), [
      E('p', {}, [_('An error occurred while saving the form:')]),
      E('p', {}, [E('em', { style: 'white-space:pre-wrap' }, [text])]),
      E('div', { class: 'right button-row' }, [
        E(
          'button',
          {
            type: 'button',
            class: 'btn',
            click: () => {
              ui.hideModal();
              if (this.root !== undefined) ui.tabs.showFault(this.root);
            },
          },
          [_('Dismiss')],
        ),
      ]),
    ]);
  }

  reset(): Promise<unknown> {
    return this.renderContents();
  }

  async render(): Promise<Node> {
    await this.load();
    return await this.renderContents();
  }

  async renderContents(): Promise<Node> {
    const root =
      this.root ??
      E('div', { id: `cbi-${this.config}`, class: 'cbi-map', 'cbi-dependency-check': () => this.checkDepends() });
    if (this.root === undefined) {
      this.root = root;
      dom.bindClassInstance(root, this);
      for (const event of ['widget-change', 'widget-update']) root.addEventListener(event, () => this.checkDepends());
    }
    const focus = document.activeElement?.id ?? '';
    const hadFocus = focus !== '' && root.contains(document.activeElement);
    const nodes = await Promise.all(this.sections.map((section) => section.render()));
    root.replaceChildren();
    if (this.title !== '') dom.append(root, E('h2', { name: 'content' }, this.title));
    if (this.description !== '') dom.append(root, E('div', { class: 'cbi-map-descr' }, this.description));
    if (this.tabbed) {
      const group = E('div', { class: 'cbi-map-tabbed' });
      this.sections.forEach((section, i) => {
        const node = nodes[i];
        if (node === undefined) return;
        node.setAttribute('data-tab', section.sectiontype);
        node.setAttribute('data-tab-title', section.stripTags(section.title) || section.sectiontype);
        group.append(node);
      });
      root.append(group);
      ui.tabs.initTabGroup(group.children);
    } else {
      for (const node of nodes) root.append(node);
    }
    this.checkDepends();
    if (hadFocus) document.getElementById(focus)?.focus();
    return root;
  }

  /** The option of that name, `section.option` or `config.section.option` for one elsewhere, and the section it is in. */
  lookupOption(name: string, section_id?: string | null, config?: string): [AbstractValue, string] | null {
    const parts = name.split('.');
    const option = parts.pop() ?? '';
    const sid = parts.pop() ?? section_id;
    const wanted = parts.pop() ?? config ?? this.config;
    for (const section of this.sections) {
      for (const value of section.options) {
        if (value.option !== option || (value.uciconfig ?? value.section.uciconfig ?? value.map.config) !== wanted)
          continue;
        const ids = section.cfgsections();
        if (sid === null || sid === undefined) return ids[0] === undefined ? null : [value, ids[0]];
        if (ids.includes(sid)) return [value, sid];
      }
    }
    return null;
  }

  /** Shows and hides the options by what the others say, until nothing changes any more. */
  checkDepends(): void {
    for (let round = 0; round < 10; round++) {
      const changed = this.sections.map((section) => section.checkDepends()).some(Boolean);
      if (!changed) return;
    }
  }

  isDependencySatisfied(dependencies: readonly Dependency[], config: string, section_id: string): boolean {
    let byDefault = false;
    for (const dependency of dependencies) {
      if (dependency['!default'] === true) {
        byDefault = true;
        continue;
      }
      const byContent = dependency['!contains'] === true;
      const satisfied = Object.entries(dependency)
        .filter(([name]) => !name.startsWith('!'))
        .every(([name, wanted]) => {
          const found = this.lookupOption(name, section_id, config);
          const value = found?.[0].isActive(found[1]) ? found[0].formvalue(found[1]) : null;
          return matches(value, wanted, byContent);
        });
      if (satisfied !== (dependency['!reverse'] === true)) return true;
    }
    return byDefault;
  }

  findElement(selector: string, value?: string): Element | null {
    return this.root?.querySelector(value === undefined ? selector : `[${selector}="${CSS.escape(value)}"]`) ?? null;
  }

  findElements(selector: string, value?: string): NodeListOf<Element> | null {
    return this.root?.querySelectorAll(value === undefined ? selector : `[${selector}="${CSS.escape(value)}"]`) ?? null;
  }
}

/** A form over a value in memory: `{ section: { option: … } }`. */
export class JSONMap extends FormMap {
  constructor(values: Readonly<Record<string, unknown>>, title?: unknown, description?: unknown) {
    super('json', title, description);
    Object.defineProperty(this, 'data', { value: memoryData(values) });
  }

  override async load(): Promise<unknown> {
    this.readonly ??= false;
    return Promise.all(this.sections.map((section) => section.load()));
  }
}

function memoryData(
  values: Readonly<Record<string, unknown>>,
): Pick<typeof uci, 'load' | 'save' | 'get' | 'set' | 'unset' | 'sections' | 'add' | 'remove' | 'move'> {
  type Entry = Record<string, unknown>;
  const table = values as Record<string, Entry | Entry[]>;
  const at = (sid: string): Entry | undefined => {
    const found = table[sid];
    return Array.isArray(found) ? undefined : found;
  };
  return {
    load: async () => [],
    save: async () => undefined,
    get: (_config, sid, option) =>
      option === undefined || option === null ? (at(sid) ?? null) : (at(sid)?.[option] ?? null),
    set(_config, sid, option, value) {
      const entry = at(sid);
      if (entry !== undefined) entry[option] = value;
    },
    unset(_config, sid, option) {
      delete at(sid)?.[option];
    },
    sections: (_config, type) =>
      Object.keys(table)
        .filter((sid) => type === undefined || type === null || sid === type)
        .map((sid) => ({ '.name': sid, '.type': sid, ...at(sid) })),
    add(_config, type, name) {
      const sid = name ?? type;
      table[sid] = {};
      return sid;
    },
    remove(_config, sid) {
      delete table[sid];
    },
    move: () => false,
  };
}
