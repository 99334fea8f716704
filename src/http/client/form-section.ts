import { E } from './dom.ts';
import { FormElement } from './form-element.ts';
import type { FormMap } from './form-map.ts';
import { AbstractValue } from './form-value.ts';
import { _ } from './text.ts';
import { uci } from './uci.ts';
import { ui } from './ui.ts';
import { findFault } from './validation.ts';

interface Tab {
  readonly name: string;
  readonly title: unknown;
  readonly description: unknown;
}

type ValueClass<T> = { new (...args: never[]): T };

/** A part of a form: the options of one section, or of several. */
export abstract class AbstractSection extends FormElement {
  declare optional: boolean;
  declare addremove: boolean;
  declare dynamic: boolean;
  declare uciconfig: string | undefined;
  declare hidetitle: boolean;
  /** Called with the section's id: whether it belongs here. */
  declare filter?: (section_id: string) => boolean;
  declare load_cb?: unknown;
  readonly map: FormMap;
  readonly sectiontype: string;
  tabs: Tab[] | undefined;

  constructor(map: FormMap, sectiontype: string, title?: unknown, description?: unknown) {
    super(title, description);
    this.map = map;
    this.sectiontype = sectiontype;
  }

  abstract cfgsections(): string[];
  abstract override render(): Promise<HTMLElement>;

  get options(): readonly AbstractValue[] {
    return this.children.filter((child) => child instanceof AbstractValue);
  }

  get config(): string {
    return this.uciconfig ?? this.map.config;
  }

  tab(name: string, title: unknown, description?: unknown): void {
    this.tabs = [...(this.tabs ?? []), { name, title, description }];
  }

  option<T extends AbstractValue>(valueClass: ValueClass<T>, ...args: unknown[]): T {
    const make = valueClass as unknown as new (...args: unknown[]) => T;
    const value = new make(this.map, this, ...args);
    this.append(value);
    return value;
  }

  taboption<T extends AbstractValue>(tab: string, valueClass: ValueClass<T>, ...args: unknown[]): T {
    if (!this.tabs?.some(({ name }) => name === tab)) throw new ReferenceError('Associated tab not declared');
    const value = this.option(valueClass, ...args);
    value.tab = tab;
    return value;
  }

  getOption(name: string): AbstractValue | null {
    return this.options.find(({ option }) => option === name) ?? null;
  }

  /** The value of an option in the config; without a name, those of all by their names. */
  cfgvalue(section_id: string, name?: string): unknown {
    return this.#valueOf(name, (option) => option.cfgvalue(section_id));
  }

  /** Likewise the value in the field. */
  formvalue(section_id: string, name?: string): unknown {
    return this.#valueOf(name, (option) => option.formvalue(section_id));
  }

  #valueOf(name: string | undefined, value: (option: AbstractValue) => unknown): unknown {
    if (name === undefined) return Object.fromEntries(this.options.map((option) => [option.option, value(option)]));
    const option = this.getOption(name);
    return option === null ? null : value(option);
  }

  async load(): Promise<unknown> {
    const ids = this.cfgsections();
    return Promise.all(
      ids.flatMap((sid) =>
        this.options.map(async (option) => {
          option.cfgvalue(sid, await option.load(sid));
        }),
      ),
    );
  }

  async parse(): Promise<unknown> {
    const work = this.cfgsections().flatMap((sid) => this.options.map((option) => option.parse(sid)));
    const results = await Promise.allSettled(work);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    return results;
  }

  checkDepends(): boolean {
    return this.cfgsections()
      .flatMap((sid) => this.options.map((option) => option.checkDepends(sid)))
      .some(Boolean);
  }

  /** The fields of one section, in tabs where there are some. */
  async renderUCISection(section_id: string): Promise<HTMLElement> {
    const nodes = await Promise.all(
      this.options.map(async (option) => [option, await option.render(section_id)] as const),
    );
    const box = E('div');
    for (const [option, node] of nodes) if (this.tabs === undefined || option.tab === null) box.append(node);
    if (this.tabs === undefined) return box;
    const group = E('div', { class: 'tab-group' });
    for (const { name, title, description } of this.tabs) {
      const pane = E('div', { 'data-tab': name, 'data-tab-title': this.stripTags(title) });
      if (description !== undefined && description !== '')
        pane.append(E('div', { class: 'cbi-tab-descr' }, description));
      for (const [option, node] of nodes) if (option.tab === name) pane.append(node);
      group.append(pane);
    }
    box.append(group);
    ui.tabs.initTabGroup(group.children);
    return box;
  }

  protected renderHead(): Node[] {
    const title = this.titleFn('title');
    const description = this.titleFn('description');
    return [
      ...(title === null || this.hidetitle === true || this.map.tabbed ? [] : [E('h3', {}, title)]),
      ...(description === null ? [] : [E('div', { class: 'cbi-section-descr' }, description)]),
    ];
  }
}

Object.assign(AbstractSection.prototype, {
  optional: true,
  addremove: false,
  dynamic: false,
  hidetitle: false,
  uciconfig: undefined,
});

/** One section, by its name. */
export class NamedSection extends AbstractSection {
  readonly section: string;

  constructor(map: FormMap, section_id: string, sectiontype: string, title?: unknown, description?: unknown) {
    super(map, sectiontype, title, description);
    this.section = section_id;
  }

  cfgsections(): string[] {
    return [this.section];
  }

  async render(): Promise<HTMLElement> {
    const { section, config, sectiontype } = this;
    const node = E('div', { id: `cbi-${config}-${section}`, class: 'cbi-section', 'data-section-id': section });
    for (const head of this.renderHead()) node.append(head);
    if (uci.get(config, section) !== null || this.map.data !== uci) {
      const fields = await this.renderUCISection(section);
      fields.className = 'cbi-section-node';
      node.append(fields);
      if (this.addremove && this.map.readonly !== true) {
        node.append(
          E(
            'button',
            {
              type: 'button',
              class: 'btn cbi-button-remove',
              click: ui.createHandlerFn(this, () => {
                this.map.data.remove(config, section);
                return this.map.save(null, true);
              }),
            },
            [_('Delete')],
          ),
        );
      }
    } else if (this.addremove && this.map.readonly !== true) {
      node.append(
        E(
          'button',
          {
            type: 'button',
            class: 'btn cbi-button-add',
            click: ui.createHandlerFn(this, () => {
              this.map.data.add(config, sectiontype, section);
              return this.map.save(null, true);
            }),
          },
          [_('Add')],
        ),
      );
    }
    return node;
  }

  override async load(): Promise<unknown> {
    return this.#isThere ? super.load() : undefined;
  }

  override async parse(): Promise<unknown> {
    return this.#isThere ? super.parse() : undefined;
  }

  get #isThere(): boolean {
    return this.map.data !== uci || uci.get(this.config, this.section) !== null;
  }
}

/** All sections of a type, one below the other. */
export class TypedSection extends AbstractSection {
  declare anonymous: boolean;
  declare addbtntitle: unknown;
  declare delbtntitle: unknown;
  declare max_cols: number | undefined;

  cfgsections(): string[] {
    const ids = this.map.data.sections(this.config, this.sectiontype).map((section) => section['.name']);
    const { filter } = this;
    return typeof filter === 'function' ? ids.filter((sid) => filter.call(this, sid)) : ids;
  }

  handleAdd(_event: Event | null, name?: string): unknown {
    this.map.data.add(this.config, this.sectiontype, name);
    return this.map.save(null, true);
  }

  handleRemove(section_id: string, _event?: Event): unknown {
    this.map.data.remove(this.config, section_id);
    return this.map.save(null, true);
  }

  renderSectionAdd(extra_class?: string): Node {
    if (!this.addremove || this.map.readonly === true) return E('div');
    const label = this.titleFn('addbtntitle') ?? _('Add');
    const id = `cbi-${this.config}-${this.sectiontype}-add`;
    const button = E('button', { id, type: 'button', class: `btn cbi-button-add ${extra_class ?? ''}`.trim() }, [
      this.stripTags(label),
    ]);
    if (this.anonymous) {
      button.addEventListener('click', ui.createHandlerFn(this, 'handleAdd') as EventListener);
      return E('div', { class: 'cbi-section-create' }, [button]);
    }
    const name = E('input', {
      type: 'text',
      class: 'cbi-section-create-name',
      'aria-label': _('Name'),
      placeholder: _('Name'),
    }) as HTMLInputElement;
    const fault = E('div', { class: 'cbi-value-fault', role: 'alert' });
    const check = (optional: boolean): boolean => {
      const found = findFault(name.value, { datatype: 'uciname', optional });
      fault.textContent = found ?? '';
      name.classList.toggle('cbi-input-invalid', found !== undefined);
      return found === undefined;
    };
    name.addEventListener('input', () => check(true));
    const add = ui.createHandlerFn(this, (event: Event) =>
      check(false) ? this.handleAdd(event, name.value) : name.focus(),
    );
    button.addEventListener('click', add as EventListener);
    return E('div', { class: 'cbi-section-create' }, [E('div', { class: 'control-group' }, [name, button]), fault]);
  }

  protected removeButton(section_id: string): HTMLElement {
    return E(
      'button',
      {
        type: 'button',
        class: 'btn cbi-button-remove',
        click: ui.createHandlerFn(this, 'handleRemove', section_id),
      },
      [this.stripTags(this.titleFn('delbtntitle', section_id) ?? _('Delete'))],
    );
  }

  async render(): Promise<HTMLElement> {
    const ids = this.cfgsections();
    const node = E('div', { id: `cbi-${this.config}-${this.sectiontype}`, class: 'cbi-section' }, this.renderHead());
    for (const sid of ids) {
      const fields = await this.renderUCISection(sid);
      fields.className = 'cbi-section-node';
      fields.id = `cbi-${this.config}-${sid}`;
      fields.setAttribute('data-section-id', sid);
      if (!this.anonymous) node.append(E('h3', { class: 'section-name' }, [sid]));
      node.append(fields);
      if (this.addremove && this.map.readonly !== true)
        node.append(E('div', { class: 'cbi-section-remove right' }, [this.removeButton(sid)]));
    }
    if (ids.length === 0)
      node.append(E('p', { class: 'placeholder' }, [E('em', {}, [_('This section contains no values yet')])]));
    node.append(this.renderSectionAdd());
    return node;
  }
}

Object.assign(TypedSection.prototype, {
  anonymous: false,
  addbtntitle: undefined,
  delbtntitle: undefined,
  max_cols: undefined,
});
