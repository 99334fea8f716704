import { dom, E } from './dom.ts';
import { FormMap } from './form-map.ts';
import { type AbstractSection, NamedSection, TypedSection } from './form-section.ts';
import { type AbstractValue, Button, Flag, SectionValue } from './form-value.ts';
import { _ } from './text.ts';
import { ui } from './ui.ts';

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
    if (this.hasName) {
      const name = this.rowName(sid);
      // Else the row would be wider than the window. A shorter name stays whole.
      const long = /\S{25}/.test(name) ? 'long-word' : null;
      row.append(
        E('td', { class: 'td cbi-section-table-titles', 'data-title': _('Name') }, [
          E('strong', { class: long }, [name]),
        ]),
      );
    }
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
    // The dialogue of the row has a field of the same option, and a label that must find that one.
    field?.setAttribute('id', `row.${field.id}`);
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
      // The fields show it, and the tabs that they are on.
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
