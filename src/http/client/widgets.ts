import { Class } from './class.ts';
import { dom, E } from './dom.ts';
import { _ } from './text.ts';
import { findFault, type Rules } from './validation.ts';

export interface WidgetOptions extends Rules {
  readonly id?: string;
  readonly name?: string;
  readonly disabled?: boolean;
  readonly readonly?: boolean;
  readonly placeholder?: string;
  readonly [other: string]: unknown;
}

export type Choices = Readonly<Record<string, unknown>>;

/** A part of a form that has a value. LuCI's `ui.AbstractElement`. */
export abstract class Widget extends Class {
  declare node: HTMLElement;
  readonly options: WidgetOptions;
  value: unknown;
  #fault: string | undefined;

  constructor(value: unknown, options: WidgetOptions = {}) {
    super();
    this.value = value;
    this.options = options;
  }

  abstract render(): HTMLElement;
  abstract getValue(): unknown;
  abstract setValue(value: unknown): void;

  /** The element that takes the focus, and shows a fault. */
  protected get field(): HTMLElement {
    return this.node.querySelector<HTMLElement>('input, select, textarea') ?? this.node;
  }

  /** The values to check, each by itself. */
  protected get checked(): readonly string[] {
    return [String(this.getValue() ?? '')];
  }

  isValid(): boolean {
    return this.#fault === undefined;
  }

  getValidationError(): string {
    return this.#fault ?? '';
  }

  triggerValidation(): boolean {
    const before = this.#fault;
    this.#fault = this.checked.map((value) => findFault(value, this.options)).find((fault) => fault !== undefined);
    const { field } = this;
    field.classList.toggle('cbi-input-invalid', this.#fault !== undefined);
    if (this.#fault === undefined) field.removeAttribute('aria-invalid');
    else field.setAttribute('aria-invalid', 'true');
    if (this.#fault !== before) {
      this.node.dispatchEvent(
        new CustomEvent(`validation-${this.#fault === undefined ? 'success' : 'failure'}`, {
          bubbles: true,
          detail: { message: this.#fault ?? '' },
        }),
      );
    }
    return this.#fault === undefined;
  }

  isChanged(): boolean {
    return this.node.getAttribute('data-changed') === 'true';
  }

  /** Ties the node to this widget, and makes `widget-update` and `widget-change` of the events of its fields. */
  protected bind(node: HTMLElement): HTMLElement {
    this.node = node;
    dom.bindClassInstance(node, this);
    for (const type of ['input', 'keyup', 'blur', 'paste']) {
      node.addEventListener(type, () => this.update('widget-update'), true);
    }
    node.addEventListener('change', () => {
      node.setAttribute('data-changed', 'true');
      this.update('widget-change');
    });
    return node;
  }

  protected update(event: 'widget-update' | 'widget-change'): void {
    this.triggerValidation();
    this.node.dispatchEvent(new CustomEvent(event, { bubbles: true }));
  }

  protected get attributes(): Record<string, unknown> {
    const { id, name, disabled, readonly, placeholder, optional } = this.options;
    return {
      id: id === undefined ? null : `widget.${id}`,
      name: name ?? null,
      disabled: disabled === true ? '' : null,
      readonly: readonly === true ? '' : null,
      placeholder: placeholder ?? null,
      'aria-describedby': id === undefined ? null : `${id}.help`,
      'aria-required': optional === false ? 'true' : null,
    };
  }
}

const textOf = (value: unknown): string => (value === null || value === undefined ? '' : String(value));

let lists = 0;

/** One line of text; `choices` are offered, and anything else may be typed. */
export class Textfield extends Widget {
  readonly #choices: Choices | undefined;

  constructor(value: unknown, options: WidgetOptions = {}, choices?: Choices) {
    super(value, options);
    this.#choices = choices;
  }

  render(): HTMLElement {
    const isPassword = this.options['password'] === true;
    const list = this.#choices === undefined ? null : `choices-${++lists}`;
    const input = E('input', {
      ...this.attributes,
      type: isPassword ? 'password' : 'text',
      class: isPassword ? 'cbi-input-password' : 'cbi-input-text',
      value: textOf(this.value),
      maxlength: this.options['maxlength'] ?? null,
      list,
      autocomplete: isPassword ? 'new-password' : 'off',
      spellcheck: 'false',
    }) as HTMLInputElement;
    const parts: HTMLElement[] = [input];
    if (isPassword) parts.push(revealButton(input));
    if (list !== null) {
      const options = Object.entries(this.#choices ?? {}).map(([choice, label]) =>
        E('option', { value: choice }, [label instanceof Node ? textOf(label.textContent) : textOf(label)]),
      );
      parts.push(E('datalist', { id: list }, options));
    }
    return this.bind(E('div', { class: isPassword ? 'control-group' : null, id: this.options.id ?? null }, parts));
  }

  get #input(): HTMLInputElement {
    return this.field as HTMLInputElement;
  }

  getValue(): string {
    return this.#input.value;
  }

  setValue(value: unknown): void {
    this.#input.value = textOf(value);
  }
}

function revealButton(input: HTMLInputElement): HTMLElement {
  const button: HTMLElement = E(
    'button',
    {
      type: 'button',
      class: 'btn reveal',
      'aria-label': _('Show or hide the password'),
      'aria-pressed': 'false',
      title: _('Show or hide the password'),
      click: () => {
        const hidden = input.type === 'password';
        input.type = hidden ? 'text' : 'password';
        button.setAttribute('aria-pressed', String(hidden));
      },
    },
    ['•••'],
  );
  return button;
}

export class Textarea extends Widget {
  render(): HTMLElement {
    const { options } = this;
    const area = E(
      'textarea',
      {
        ...this.attributes,
        class: 'cbi-input-textarea',
        rows: options['rows'] ?? 4,
        cols: options['cols'] ?? null,
        wrap: options['wrap'] === false ? 'off' : null,
        style: options['monospace'] === true ? 'font-family:monospace' : null,
      },
      [textOf(this.value)],
    );
    return this.bind(E('div', { id: options.id ?? null }, [area]));
  }

  getValue(): string {
    return (this.field as HTMLTextAreaElement).value;
  }

  setValue(value: unknown): void {
    (this.field as HTMLTextAreaElement).value = textOf(value);
  }
}

export class Checkbox extends Widget {
  render(): HTMLElement {
    const { options, value } = this;
    const box = E('input', {
      ...this.attributes,
      type: 'checkbox',
      class: 'cbi-input-checkbox',
      role: 'switch',
    }) as HTMLInputElement;
    box.checked = textOf(value) === textOf(options['value_enabled'] ?? '1');
    return this.bind(E('div', { class: 'cbi-checkbox', id: options.id ?? null }, [box]));
  }

  isChecked(): boolean {
    return (this.field as HTMLInputElement).checked;
  }

  getValue(): string {
    return textOf(this.isChecked() ? (this.options['value_enabled'] ?? '1') : (this.options['value_disabled'] ?? '0'));
  }

  setValue(value: unknown): void {
    (this.field as HTMLInputElement).checked = textOf(value) === textOf(this.options['value_enabled'] ?? '1');
  }
}

/** One of several, or some of several with `multiple`. Also stands for LuCI's `ui.Dropdown`. */
export class Select extends Widget {
  readonly #choices: Choices;

  constructor(value: unknown, choices: Choices, options: WidgetOptions = {}) {
    super(value, options);
    this.#choices = choices;
  }

  get #multiple(): boolean {
    return this.options['multiple'] === true;
  }

  get #sorted(): readonly string[] {
    const { sort } = this.options;
    if (Array.isArray(sort)) return sort.map(String);
    const keys = Object.keys(this.#choices);
    return sort === true ? keys.sort() : keys;
  }

  render(): HTMLElement {
    const { options } = this;
    const selected = new Set(Array.isArray(this.value) ? this.value.map(String) : [textOf(this.value)]);
    const radio = options['widget'] === 'radio';
    if (this.#multiple || radio) return this.#renderBoxes(selected, radio);
    const keys = this.#sorted;
    // A value that is not on offer stays what it is.
    const known = keys.includes(textOf(this.value)) || textOf(this.value) === '' ? keys : [textOf(this.value), ...keys];
    const offered = options.optional === true && !known.includes('') ? ['', ...known] : known;
    const items = offered.map((key) => {
      const label = this.#choices[key] ?? (key === '' ? (options.placeholder ?? _('-- Please choose --')) : key);
      return E('option', { value: key, selected: selected.has(key) ? '' : null }, [
        label instanceof Node ? textOf(label.textContent) : textOf(label),
      ]);
    });
    const select = E('select', { ...this.attributes, class: 'cbi-input-select' }, items);
    return this.bind(E('div', { id: options.id ?? null }, [select]));
  }

  #renderBoxes(selected: ReadonlySet<string>, radio: boolean): HTMLElement {
    const { id, name } = this.options;
    const group = name ?? id ?? `group-${++lists}`;
    const items = this.#sorted.map((key) => {
      const label = this.#choices[key];
      const box = E('input', {
        ...this.attributes,
        id: null,
        'aria-describedby': null,
        type: radio ? 'radio' : 'checkbox',
        name: group,
        value: key,
      }) as HTMLInputElement;
      box.checked = selected.has(key);
      return E('label', { class: 'choice' }, [box, label instanceof Node ? label : textOf(label)]);
    });
    return this.bind(E('div', { class: 'choices', id: id ?? null, role: 'group' }, items));
  }

  getValue(): unknown {
    if (this.field instanceof HTMLSelectElement) return this.field.value;
    const chosen = [...this.node.querySelectorAll<HTMLInputElement>('input')]
      .filter(({ checked }) => checked)
      .map(({ value }) => value);
    return this.#multiple ? chosen : (chosen[0] ?? '');
  }

  setValue(value: unknown): void {
    if (this.field instanceof HTMLSelectElement) {
      this.field.value = textOf(value);
      return;
    }
    const wanted = new Set(Array.isArray(value) ? value.map(String) : [textOf(value)]);
    for (const box of this.node.querySelectorAll<HTMLInputElement>('input')) box.checked = wanted.has(box.value);
  }
}

/** A list of texts. Only what is being typed is checked, as in LuCI. */
export class DynamicList extends Widget {
  readonly #choices: Choices | undefined;

  constructor(value: unknown, choices?: Choices | null, options: WidgetOptions = {}) {
    super(value, options);
    this.#choices = choices ?? undefined;
  }

  render(): HTMLElement {
    const { options } = this;
    const list = this.#choices === undefined ? null : `choices-${++lists}`;
    const input = E('input', {
      ...this.attributes,
      type: 'text',
      class: 'cbi-input-text',
      list,
      autocomplete: 'off',
      keydown: (event: KeyboardEvent) => {
        if (event.key !== 'Enter') return;
        event.preventDefault();
        this.#addTyped();
      },
    });
    const add = E(
      'button',
      {
        type: 'button',
        class: 'btn cbi-button-add',
        disabled: options.disabled === true ? '' : null,
        click: () => this.#addTyped(),
        'aria-label': _('Add'),
      },
      ['+'],
    );
    const choices = Object.entries(this.#choices ?? {}).map(([choice, label]) =>
      E('option', { value: choice }, [label instanceof Node ? textOf(label.textContent) : textOf(label)]),
    );
    const node = E('div', { class: 'cbi-dynlist', id: options.id ?? null }, [
      E('ul', { class: 'items' }),
      // Who may only look has nothing to add.
      E('div', { class: 'add-item control-group', hidden: options.disabled === true ? '' : null }, [
        input,
        add,
        ...(list === null ? [] : [E('datalist', { id: list }, choices)]),
      ]),
    ]);
    this.bind(node);
    this.setValue(this.value);
    return node;
  }

  protected override get checked(): readonly string[] {
    return [this.#typed].filter((text) => text !== '');
  }

  get #typed(): string {
    return (this.field as HTMLInputElement).value.trim();
  }

  #addTyped(): void {
    const typed = this.#typed;
    if (typed === '' || !this.triggerValidation()) return;
    if (!this.#items.includes(typed)) this.#addItem(typed);
    (this.field as HTMLInputElement).value = '';
    this.field.focus();
    this.node.setAttribute('data-changed', 'true');
    this.update('widget-change');
  }

  #addItem(text: string): void {
    const label = this.#choices?.[text];
    const remove = E(
      'button',
      {
        type: 'button',
        class: 'remove',
        'aria-label': _('Remove %s').format(text),
        disabled: this.options.disabled === true ? '' : null,
        click: () => {
          item.remove();
          this.field.focus();
          this.node.setAttribute('data-changed', 'true');
          this.update('widget-change');
        },
      },
      ['×'],
    );
    const item = E('li', { class: 'item', 'data-value': text }, [
      E('span', {}, [label === undefined ? text : textOf(label)]),
      remove,
    ]);
    this.node.querySelector('.items')?.append(item);
  }

  get #items(): readonly string[] {
    return [...this.node.querySelectorAll('.item')].map((item) => item.getAttribute('data-value') ?? '');
  }

  /** With what is typed and not added yet. */
  getValue(): readonly string[] {
    const typed = this.#typed;
    return typed === '' || !this.isValid() || this.#items.includes(typed) ? this.#items : [...this.#items, typed];
  }

  setValue(value: unknown): void {
    this.node.querySelector('.items')?.replaceChildren();
    const items = Array.isArray(value) ? value.map(String) : textOf(value).split(/\s+/);
    for (const item of items) if (item !== '') this.#addItem(item);
  }
}

export class Hiddenfield extends Widget {
  render(): HTMLElement {
    return this.bind(
      E('div', { class: 'hidden', id: this.options.id ?? null }, [
        E('input', { type: 'hidden', value: textOf(this.value) }),
      ]),
    );
  }

  getValue(): string {
    return (this.field as HTMLInputElement).value;
  }

  setValue(value: unknown): void {
    (this.field as HTMLInputElement).value = textOf(value);
  }
}
