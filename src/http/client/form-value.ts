import { Class } from './class.ts';
import { dom, E } from './dom.ts';
import { FormElement, isEmpty, isEqual } from './form-element.ts';
import type { FormMap } from './form-map.ts';
import type { AbstractSection } from './form-section.ts';
import { _ } from './text.ts';
import { FormFault, ui } from './ui.ts';
import {
  Checkbox,
  DynamicList as DynamicListWidget,
  Hiddenfield,
  Select,
  Textarea,
  Textfield,
  Widget,
  type WidgetOptions,
} from './widgets.ts';

/** Option → wanted value; with `!reverse`, `!contains` or `!default`. All of one must hold. */
export type Dependency = Readonly<Record<string, unknown>>;

/** An option of a section, and its field. */
export abstract class AbstractValue extends FormElement {
  declare default: unknown;
  declare rmempty: boolean;
  declare optional: boolean;
  declare datatype: string | undefined;
  declare placeholder: string | undefined;
  declare password: boolean;
  declare retain: boolean;
  declare readonly: boolean | null;
  declare modalonly: boolean | null;
  declare editable: boolean;
  declare disable: boolean;
  declare forcewrite: boolean;
  declare uciconfig: string | undefined;
  declare ucisection: string | ((section_id: string) => string) | undefined;
  declare ucioption: string | ((section_id: string) => string) | undefined;
  declare size: number | undefined;
  declare width: unknown;
  declare tab: string | null;
  declare onchange?: (event: Event, section_id: string, value: unknown) => unknown;
  declare titleref: unknown;
  readonly map: FormMap;
  readonly section: AbstractSection;
  readonly option: string;
  deps: Dependency[] = [];
  keylist: string[] = [];
  vallist: unknown[] = [];
  #values = new Map<string, unknown>();
  #active = new Map<string, boolean>();

  constructor(map: FormMap, section: AbstractSection, option: string, title?: unknown, description?: unknown) {
    super(title, description);
    this.map = map;
    this.section = section;
    this.option = option;
  }

  get config(): string {
    return this.uciconfig ?? this.section.uciconfig ?? this.map.config;
  }

  /** What a clone must not keep of the option that it was made of. */
  forget(): void {
    this.#values = new Map();
    this.#active = new Map();
  }

  depends(field: string | Dependency, value?: unknown): void {
    this.deps = [...this.deps, typeof field === 'string' ? { [field]: value } : field];
  }

  value(key: unknown, label?: unknown): void {
    this.keylist = [...this.keylist, String(key)];
    this.vallist = [...this.vallist, label ?? key];
  }

  cbid(section_id: string): string {
    return `cbid.${this.config}.${section_id}.${this.option}`;
  }

  #place(section_id: string): [config: string, section: string, option: string] {
    const of = (given: string | ((section_id: string) => string) | undefined, fallback: string) =>
      typeof given === 'function' ? given.call(this, section_id) : (given ?? fallback);
    return [this.config, of(this.ucisection, section_id), of(this.ucioption, this.option)];
  }

  load(section_id: string): unknown {
    return this.map.data.get(...this.#place(section_id));
  }

  /** The value in the config; with a second argument it becomes that. */
  cfgvalue(section_id: string, ...set: unknown[]): unknown {
    if (section_id === null || section_id === undefined) throw new TypeError('Section ID required');
    if (set.length > 0) this.#values.set(section_id, set[0]);
    return this.#values.get(section_id);
  }

  getUIElement(section_id: string): Widget | null {
    const node = this.map.root?.querySelector(`[data-widget-id="${CSS.escape(this.cbid(section_id))}"]`);
    const found = dom.findClassInstance(node?.firstElementChild);
    return found instanceof Widget ? found : null;
  }

  /** The value in the field; null without one. */
  formvalue(section_id: string): unknown {
    return this.getUIElement(section_id)?.getValue() ?? null;
  }

  textvalue(section_id: string): unknown {
    const value = this.cfgvalue(section_id) ?? this.default;
    const shown = (Array.isArray(value) ? value : [value]).map((each) => {
      const at = this.keylist.indexOf(String(each ?? ''));
      return at === -1 ? each : this.vallist[at];
    });
    const text = shown
      .filter((each) => !isEmpty(each))
      .map((each) => (each instanceof Node ? each.textContent : String(each)));
    return text.length === 0 ? null : E('span', {}, [text.join(', ')]);
  }

  validate(_section_id: string, _value: unknown): unknown {
    return true;
  }

  isValid(section_id: string): boolean {
    const widget = this.getUIElement(section_id);
    return widget === null || widget.triggerValidation();
  }

  getValidationError(section_id: string): string {
    return this.getUIElement(section_id)?.getValidationError() ?? '';
  }

  triggerValidation(section_id: string): boolean {
    return this.getUIElement(section_id)?.triggerValidation() ?? true;
  }

  isActive(section_id: string): boolean {
    return this.#active.get(section_id) ?? true;
  }

  setActive(section_id: string, active: boolean): boolean {
    const changed = this.isActive(section_id) !== active;
    this.#active.set(section_id, active);
    this.#frame(section_id)?.classList.toggle('hidden', !active);
    return changed;
  }

  #frame(section_id: string): Element | null | undefined {
    return this.map.root?.querySelector(`[id="${CSS.escape(this.#frameId(section_id))}"]`);
  }

  #frameId(section_id: string): string {
    return `cbi-${this.config}-${section_id}-${this.option}`;
  }

  checkDepends(section_id: string): boolean {
    const active = this.deps.length === 0 || this.map.isDependencySatisfied(this.deps, this.config, section_id);
    return this.setActive(section_id, active);
  }

  async parse(section_id: string): Promise<unknown> {
    if (!this.isActive(section_id)) return this.retain ? undefined : this.remove(section_id);
    if (!this.isValid(section_id))
      this.#refuse(_('Option "%s" contains an invalid input value.'), this.getValidationError(section_id));
    if (this.getUIElement(section_id) === null) return undefined;
    const [old, value] = [this.cfgvalue(section_id), this.formvalue(section_id)];
    if (isEmpty(value)) {
      if (this.rmempty || this.optional) return this.remove(section_id);
      this.#refuse(_('Option "%s" must not be empty.'), '');
    }
    return this.forcewrite || !isEqual(old, value) ? this.write(section_id, value) : undefined;
  }

  #refuse(text: string, fault: string): never {
    const name = this.stripTags(this.title).trim() || this.option;
    throw new FormFault(`${text.replace('%s', name)}${fault === '' ? '' : ` ${fault}`}`);
  }

  write(section_id: string, value: unknown): unknown {
    return this.map.data.set(...this.#place(section_id), value);
  }

  remove(section_id: string): unknown {
    const place = this.#place(section_id);
    const known = this.map.data.get(...place);
    return known === null || known === undefined ? undefined : this.map.data.unset(...place);
  }

  /** The field, or a promise of it. */
  abstract renderWidget(section_id: string, option_index: number, cfgvalue: unknown): unknown;

  protected widgetOptions(section_id: string): WidgetOptions {
    return {
      id: this.cbid(section_id),
      optional: this.optional || this.rmempty,
      datatype: this.datatype,
      validate: (value: unknown) => this.validate(section_id, value),
      placeholder: this.placeholder ?? undefined,
      disabled: this.readonly ?? this.map.readonly ?? false,
    } as WidgetOptions;
  }

  protected choices(): Record<string, unknown> | undefined {
    if (this.keylist.length === 0) return undefined;
    return Object.fromEntries(this.keylist.map((key, i) => [key, this.vallist[i]]));
  }

  /** The field in its wrapper, by which it is found again. */
  async renderWidgetIn(section_id: string): Promise<HTMLElement> {
    const value = this.cfgvalue(section_id);
    const node = await this.renderWidget(section_id, 0, value ?? this.default ?? null);
    const fault = E('div', { class: 'cbi-value-fault', role: 'alert' });
    const wrapper = E('div', { 'data-widget-id': this.cbid(section_id), class: 'cbi-widget' });
    dom.append(wrapper, node instanceof Node ? node : [String(node ?? '')]);
    wrapper.append(fault);
    wrapper.addEventListener('validation-failure', (event) => {
      fault.textContent = event instanceof CustomEvent ? String(event.detail.message) : '';
    });
    wrapper.addEventListener('validation-success', () => {
      fault.textContent = '';
    });
    wrapper.addEventListener('widget-change', (event) => {
      this.map.checkDepends();
      const { onchange } = this;
      if (typeof onchange === 'function') onchange.call(this, event, section_id, this.formvalue(section_id));
    });
    return wrapper;
  }

  async render(section_id: string): Promise<HTMLElement> {
    const field = await this.renderWidgetIn(section_id);
    const input = field.querySelector('input, select, textarea');
    const title = this.titleFn('title', section_id);
    const help = this.titleFn('description', section_id);
    const label = input?.id
      ? E('label', { class: 'cbi-value-title', for: input.id }, title ?? [])
      : E('span', { class: 'cbi-value-title' }, title ?? []);
    const frame = E('div', {
      id: this.#frameId(section_id),
      class: `cbi-value${this.isActive(section_id) ? '' : ' hidden'}`,
      'data-name': this.option,
      'data-index': null,
      'data-field': this.cbid(section_id),
    });
    if (title !== null) frame.append(label);
    const content = E('div', { class: 'cbi-value-field' }, [field]);
    if (help !== null)
      content.append(E('div', { class: 'cbi-value-description', id: `${this.cbid(section_id)}.help` }, help));
    else input?.removeAttribute('aria-describedby');
    frame.append(content);
    return frame;
  }
}

Object.assign(AbstractValue.prototype, {
  default: null,
  rmempty: true,
  optional: false,
  datatype: undefined,
  placeholder: undefined,
  password: false,
  retain: false,
  readonly: null,
  modalonly: null,
  editable: false,
  disable: false,
  forcewrite: false,
  uciconfig: undefined,
  ucisection: undefined,
  ucioption: undefined,
  size: undefined,
  width: undefined,
  tab: null,
});

export class Value extends AbstractValue {
  renderWidget(section_id: string, _option_index: number, value: unknown): unknown {
    const isPassword = this.password === true;
    const options = { ...this.widgetOptions(section_id), password: isPassword };
    // Who may only look is not given passwords: the default in their place would look like the one in use.
    if (isPassword && this.map.readonly === true) return new Textfield('', options).render();
    return new Textfield(Array.isArray(value) ? value.join(' ') : value, options, this.choices()).render();
  }
}

export class DynamicList extends AbstractValue {
  renderWidget(section_id: string, _option_index: number, value: unknown): unknown {
    return new DynamicListWidget(value, this.choices(), { ...this.widgetOptions(section_id), optional: true }).render();
  }
}

export class ListValue extends AbstractValue {
  declare widget: string;

  renderWidget(section_id: string, _option_index: number, value: unknown): unknown {
    const choices = this.choices() ?? {};
    const options = {
      ...this.widgetOptions(section_id),
      // As in LuCI: a choice of nothing makes it optional.
      optional: this.optional || Object.hasOwn(choices, ''),
      widget: this.widget,
      sort: this.keylist,
    };
    return new Select(value, choices, options).render();
  }
}
Object.assign(ListValue.prototype, { widget: 'select' });

export class RichListValue extends ListValue {
  override value(key: unknown, label?: unknown, _description?: unknown): void {
    super.value(key, label);
  }
}

export class MultiValue extends AbstractValue {
  renderWidget(section_id: string, _option_index: number, value: unknown): unknown {
    const chosen = Array.isArray(value) ? value : isEmpty(value) ? [] : String(value).split(/\s+/);
    return new Select(chosen, this.choices() ?? {}, {
      ...this.widgetOptions(section_id),
      multiple: true,
      sort: this.keylist,
    }).render();
  }
}

export class Flag extends AbstractValue {
  declare enabled: string;
  declare disabled: string;

  renderWidget(section_id: string, _option_index: number, value: unknown): unknown {
    const options = { ...this.widgetOptions(section_id), value_enabled: this.enabled, value_disabled: this.disabled };
    return new Checkbox(value ?? this.#fallback, options).render();
  }

  get #fallback(): unknown {
    return this.default ?? this.disabled;
  }

  override textvalue(section_id: string): unknown {
    const value = this.cfgvalue(section_id) ?? this.#fallback;
    return E('span', {}, [String(value) === this.enabled ? _('Yes') : _('No')]);
  }

  override formvalue(section_id: string): unknown {
    const widget = this.getUIElement(section_id);
    return widget instanceof Checkbox && widget.isChecked() ? this.enabled : this.disabled;
  }

  override async parse(section_id: string): Promise<unknown> {
    if (!this.isActive(section_id)) return this.retain ? undefined : this.remove(section_id);
    if (this.getUIElement(section_id) === null) return undefined;
    const value = this.formvalue(section_id);
    if (isEqual(value, this.#fallback) && (this.optional || this.rmempty)) return this.remove(section_id);
    return this.write(section_id, value);
  }
}
Object.assign(Flag.prototype, { enabled: '1', disabled: '0' });

export class TextValue extends AbstractValue {
  declare rows: number;
  declare cols: number | undefined;
  declare wrap: unknown;
  declare monospace: boolean;

  renderWidget(section_id: string, _option_index: number, value: unknown): unknown {
    const { rows, cols, wrap, monospace } = this;
    return new Textarea(value, { ...this.widgetOptions(section_id), rows, cols, wrap, monospace }).render();
  }
}
Object.assign(TextValue.prototype, { rows: 4, cols: undefined, wrap: undefined, monospace: false });

export class HiddenValue extends AbstractValue {
  renderWidget(section_id: string, _option_index: number, value: unknown): unknown {
    return new Hiddenfield(value, this.widgetOptions(section_id)).render();
  }
}

/** Shown, and never written. */
export class DummyValue extends AbstractValue {
  declare rawhtml: boolean;
  declare href: string | undefined;
  declare hidden: boolean | null;

  renderWidget(section_id: string, _option_index: number, value: unknown): unknown {
    const node = E('div', { id: this.cbid(section_id), class: 'dummy' });
    const shown = this.href === undefined || this.href === null ? node : node.appendChild(E('a', { href: this.href }));
    dom.append(
      shown,
      value instanceof Node || (this.rawhtml && typeof value === 'string') ? value : [String(value ?? '')],
    );
    return node;
  }

  override async parse(_section_id: string): Promise<unknown> {
    return undefined;
  }

  override write(): void {}
  override remove(): void {}
}
Object.assign(DummyValue.prototype, { rawhtml: false, href: undefined });

export class Button extends AbstractValue {
  declare inputtitle: unknown;
  declare inputstyle: string | undefined;
  declare onclick: ((event: Event, section_id: string) => unknown) | undefined;

  renderWidget(section_id: string, _option_index: number, value: unknown): unknown {
    const label = this.titleFn('inputtitle', section_id) ?? this.titleFn('title') ?? value;
    const press = (event: Event) => {
      const { onclick } = this;
      return typeof onclick === 'function' ? onclick.call(this, event, section_id) : undefined;
    };
    return E(
      'button',
      {
        id: this.cbid(section_id),
        type: 'button',
        class: `btn cbi-button cbi-button-${this.inputstyle ?? 'button'}`,
        disabled: (this.readonly ?? this.map.readonly) === true ? '' : null,
        click: ui.createHandlerFn(this, press),
      },
      [this.stripTags(label)],
    );
  }

  override async parse(_section_id: string): Promise<unknown> {
    return undefined;
  }
}
Object.assign(Button.prototype, { inputtitle: undefined, inputstyle: undefined, onclick: undefined });

/** A section within a section. */
export class SectionValue extends AbstractValue {
  readonly subsection: AbstractSection;
  readonly sectionArguments: readonly unknown[];

  constructor(
    map: FormMap,
    section: AbstractSection,
    option: string,
    sectionClass: { new (...args: never[]): AbstractSection },
    ...args: unknown[]
  ) {
    super(map, section, option);
    if (!Class.isSubclass(sectionClass)) throw new TypeError('Sub section must be a descendent of CBIAbstractSection');
    this.sectionArguments = [sectionClass, ...args];
    this.subsection = new (sectionClass as unknown as new (...args: unknown[]) => AbstractSection)(map, ...args);
  }

  override load(_section_id: string): unknown {
    return this.subsection.load();
  }

  override async parse(section_id: string): Promise<unknown> {
    return this.isActive(section_id) ? this.subsection.parse() : undefined;
  }

  override checkDepends(section_id: string): boolean {
    return [super.checkDepends(section_id), this.subsection.checkDepends()].some(Boolean);
  }

  renderWidget(): unknown {
    return this.subsection.render();
  }

  override write(): void {}
  override remove(): void {}
}
