import { dom, E } from './dom.ts';
import { FormElement } from './form-element.ts';
import { FormMap } from './form-map.ts';
import { AbstractValue, Button, Flag, SectionValue } from './form-value.ts';
import { _ } from './text.ts';
import { uci } from './uci.ts';
import { ui } from './ui.ts';

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
    const add = ui.createHandlerFn(this, (event: Event) =>
      /^[A-Za-z0-9_]+$/.test(name.value) ? this.handleAdd(event, name.value) : name.focus(),
    );
    button.addEventListener('click', add as EventListener);
    return E('div', { class: 'cbi-section-create control-group' }, [name, button]);
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

/** All sections of a type, a row each. */
export class TableSection extends TypedSection {
  declare sortable: boolean;
  declare nodescriptions: boolean;
  declare rowcolors: boolean;
  declare sectiontitle: unknown;
  declare modaltitle: unknown;
  declare extedit: unknown;
  declare actionstitle: unknown;

  protected get columns(): readonly AbstractValue[] {
    return this.options.filter((option) => option.modalonly !== true && !option.disable);
  }

  protected get hasName(): boolean {
    return this.sectiontitle !== undefined || !this.anonymous;
  }

  protected rowName(section_id: string): string {
    const title = this.titleFn('sectiontitle', section_id);
    return this.stripTags(title ?? section_id);
  }

  override async render(): Promise<HTMLElement> {
    const ids = this.cfgsections();
    const { columns, config } = this;
    const hasActions =
      this.addremove ||
      this.sortable ||
      this.extedit !== undefined ||
      this.options.some(({ modalonly }) => modalonly === true);
    const heads = [
      ...(this.hasName ? [E('th', { class: 'th', scope: 'col' }, [_('Name')])] : []),
      ...columns.map((option) => {
        const help = this.nodescriptions ? '' : this.stripTags(option.description);
        return E(
          'th',
          { class: 'th', scope: 'col', 'data-widget': option.constructor.name, title: help === '' ? null : help },
          option.title,
        );
      }),
      ...(hasActions
        ? [
            E('th', { class: 'th cbi-section-actions', scope: 'col' }, [
              E('span', { class: 'sr-only' }, [_('Actions')]),
            ]),
          ]
        : []),
    ];
    const table = E('table', { class: 'table cbi-section-table' }, [
      E('tr', { class: 'tr cbi-section-table-titles' }, heads),
    ]);
    for (const sid of ids) table.append(await this.#renderRow(sid, hasActions));
    if (ids.length === 0) {
      table.append(
        E('tr', { class: 'tr cbi-section-table-row placeholder' }, [
          E('td', { class: 'td', colspan: heads.length }, [E('em', {}, [_('This section contains no values yet')])]),
        ]),
      );
    }
    return E('div', { id: `cbi-${config}-${this.sectiontype}`, class: 'cbi-section cbi-tblsection' }, [
      ...this.renderHead(),
      table,
      this.renderSectionAdd(),
    ]);
  }

  async #renderRow(sid: string, hasActions: boolean): Promise<HTMLElement> {
    const row = E('tr', {
      id: `cbi-${this.config}-${sid}`,
      class: 'tr cbi-section-table-row',
      'data-section-id': sid,
      'data-sid': sid,
    });
    if (this.hasName)
      row.append(
        E('td', { class: 'td cbi-section-table-titles', 'data-title': _('Name') }, [
          E('strong', {}, [this.rowName(sid)]),
        ]),
      );
    for (const option of this.columns) {
      const cell = E('td', {
        class: 'td cbi-value-field',
        'data-title': this.stripTags(option.title),
        'data-name': option.option,
      });
      dom.append(cell, await this.renderCell(option, sid));
      row.append(cell);
    }
    if (hasActions) row.append(this.renderRowActions(sid));
    return row;
  }

  protected async renderCell(option: AbstractValue, section_id: string): Promise<unknown> {
    return await this.renderField(option, section_id);
  }

  /** The field of an option, with the heading of its column for a name. */
  protected async renderField(option: AbstractValue, section_id: string): Promise<HTMLElement> {
    const node = await option.renderWidgetIn(section_id);
    const field = node.querySelector('input, select, textarea');
    field?.removeAttribute('aria-describedby');
    field?.setAttribute('aria-label', `${this.stripTags(option.title)}, ${this.rowName(section_id)}`);
    return node;
  }

  renderRowActions(section_id: string, more_label?: string): HTMLElement {
    const box = E('div', { class: 'row-actions' });
    const readonly = this.map.readonly === true;
    if (this.sortable && !readonly) {
      for (const [step, sign, label] of [
        [-1, '↑', _('Move up')],
        [1, '↓', _('Move down')],
      ] as const) {
        box.append(
          E(
            'button',
            {
              id: `move-${section_id}-${step}`,
              type: 'button',
              class: 'btn quiet',
              'aria-label': label,
              title: label,
              click: ui.createHandlerFn(this, () => this.#move(section_id, step)),
            },
            [sign],
          ),
        );
      }
    }
    if (more_label !== undefined) {
      box.append(
        E(
          'button',
          {
            id: `edit-${section_id}`,
            type: 'button',
            class: 'btn cbi-button-edit',
            click: ui.createHandlerFn(this, 'renderMoreOptionsModal', section_id),
          },
          [more_label],
        ),
      );
    }
    if (this.addremove && !readonly) box.append(this.removeButton(section_id));
    return E('td', { class: 'td cbi-section-actions' }, [box]);
  }

  #move(section_id: string, step: 1 | -1): unknown {
    const ids = this.cfgsections();
    const other = ids[ids.indexOf(section_id) + step];
    if (other === undefined) return undefined;
    this.map.data.move(this.config, section_id, other, step === 1);
    return this.map.save(null, true);
  }

  /** The section's options in a dialogue, as a form of its own. */
  async renderMoreOptionsModal(section_id: string, event?: Event): Promise<unknown> {
    const parent = this.map;
    const form = new FormMap(this.config);
    form.parent = parent;
    form.section_id = section_id;
    form.readonly = parent.readonly;
    const section = form.section(NamedSection, section_id, this.sectiontype);
    section.tabs = this.tabs;
    this.cloneOptions(this, section);
    await this.addModalOptions(section, section_id, event);
    const content = await form.render();
    const title = this.titleFn('modaltitle', section_id) ?? [this.rowName(section_id)];
    const buttons = [
      E('button', { type: 'button', class: 'btn', click: ui.createHandlerFn(this, 'handleModalCancel', form) }, [
        _('Dismiss'),
      ]),
      ' ',
      ...(form.readonly === true
        ? []
        : [
            E(
              'button',
              {
                type: 'button',
                class: 'btn cbi-button cbi-button-positive important',
                click: ui.createHandlerFn(this, 'handleModalSave', form),
              },
              [_('Save')],
            ),
          ]),
    ];
    return ui.showModal(title, [content, E('div', { class: 'right button-row' }, buttons)], 'cbi-modal');
  }

  addModalOptions(_section: NamedSection, _section_id: string, _event?: Event): unknown {
    return undefined;
  }

  cloneOptions(from: AbstractSection, to: AbstractSection): void {
    for (const option of from.options) {
      // As in LuCI: for the table only.
      if (option.modalonly === false && from === this) continue;
      const make = option.constructor as { new (...args: never[]): AbstractValue };
      const given =
        option instanceof SectionValue
          ? [option.option, ...option.sectionArguments]
          : [option.option, option.title, option.description];
      const clone =
        option.tab !== null && to.tabs !== undefined
          ? to.taboption(option.tab, make, ...given)
          : to.option(make, ...given);
      for (const [name, value] of Object.entries(option)) {
        if (!['map', 'section', 'config', 'children', 'subsection'].includes(name))
          Object.assign(clone, { [name]: value });
      }
      clone.forget();
      if (option instanceof SectionValue && clone instanceof SectionValue)
        this.cloneOptions(option.subsection, clone.subsection);
    }
  }

  async handleModalCancel(form: FormMap, _event?: Event): Promise<void> {
    const added = this.addedSection;
    if (added !== undefined && added === form.section_id) this.map.data.remove(this.config, added);
    this.addedSection = undefined;
    await this.map.reset();
    ui.hideModal();
  }

  async handleModalSave(form: FormMap, _event?: Event): Promise<void> {
    try {
      await form.save(null, true);
    } catch {
      // The fields show it.
      form.root?.querySelector<HTMLElement>('.cbi-input-invalid')?.focus();
      return;
    }
    this.addedSection = undefined;
    await this.map.load();
    await this.map.reset();
    ui.hideModal();
    await ui.changes.init();
  }

  addedSection: string | undefined;
}

Object.assign(TableSection.prototype, {
  sortable: false,
  nodescriptions: false,
  rowcolors: false,
  sectiontitle: undefined,
  modaltitle: undefined,
  extedit: undefined,
  actionstitle: undefined,
});

/** Rows that show values, each with a dialogue to change them. */
export class GridSection extends TableSection {
  override handleAdd(event: Event | null, name?: string): unknown {
    const section_id = this.map.data.add(this.config, this.sectiontype, name);
    this.addedSection = section_id;
    return this.renderMoreOptionsModal(section_id, event ?? undefined);
  }

  override tab(name: string, title: unknown, description?: unknown): void {
    super.tab(name, title, description);
  }

  protected override get columns(): readonly AbstractValue[] {
    return super.columns.filter((option) => !(option instanceof SectionValue));
  }

  protected override async renderCell(option: AbstractValue, section_id: string): Promise<unknown> {
    const isField = option.editable || option instanceof Button || (option instanceof Flag && option.editable);
    if (isField) return await this.renderField(option, section_id);
    const text = option.textvalue(section_id);
    // As in LuCI, a text of the view's own is HTML.
    return text === null || text === undefined || text === '' ? [E('em', {}, [_('none')])] : text;
  }

  override renderRowActions(section_id: string): HTMLElement {
    return super.renderRowActions(section_id, this.map.readonly === true ? _('View') : _('Edit'));
  }

  override async parse(): Promise<unknown> {
    const work = this.cfgsections().flatMap((sid) =>
      this.columns.filter(({ editable }) => editable).map((option) => option.parse(sid)),
    );
    const results = await Promise.allSettled(work);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    return results;
  }
}
