import { Class } from './class.ts';
import { dom, E } from './dom.ts';
import { _, N_ } from './text.ts';
import { uci } from './uci.ts';
import {
  Checkbox,
  type Choices,
  DynamicList,
  Hiddenfield,
  Select,
  Textarea,
  Textfield,
  type WidgetOptions,
} from './widgets.ts';

/** A value that will not do: the form has shown it. */
export class FormFault extends TypeError {}

/** Where the focus was when the dialogue opened. */
let before: Element | null = null;

const overlay = (): HTMLDialogElement => {
  const found = document.getElementById('modal_overlay');
  if (found instanceof HTMLDialogElement) return found;
  const made = E('dialog', {
    id: 'modal_overlay',
    // As in LuCI, Escape is the first button.
    cancel: (event: Event) => {
      event.preventDefault();
      const button = made.querySelector<HTMLElement>('.right > .btn, .button-row > .btn');
      if (button === null) ui.hideModal();
      else button.click();
    },
  }) as HTMLDialogElement;
  document.body.append(made);
  return made;
};

/** A notice at the top of the page; `classes` such as `warning` and `danger`. */
function addNotification(title: unknown, children: unknown, ...classes: string[]): HTMLElement {
  const node: HTMLElement = E(
    'div',
    { class: ['alert-message', ...classes].join(' '), role: classes.includes('danger') ? 'alert' : 'status' },
    [
      E('div', { class: 'alert-body' }, [...(title === null || title === undefined ? [] : [E('h4', {}, title)])]),
      E(
        'button',
        { type: 'button', class: 'btn quiet dismiss', 'aria-label': _('Dismiss'), click: () => node.remove() },
        ['×'],
      ),
    ],
  );
  dom.append(node.firstElementChild, children);
  document.getElementById('notifications')?.append(node);
  node.scrollIntoView({ block: 'nearest' });
  return node;
}

/** Of the list of tabs: shows which of them have a field with a fault. Of a pane: brings it to the front. */
const marks = new WeakMap<Element, () => void>();
const fronts = new WeakMap<Element, () => void>();

/** The fields with a fault, but for those that other fields have put out of use. */
const invalidFields = (root: Element): readonly HTMLElement[] =>
  [...root.querySelectorAll<HTMLElement>('.cbi-input-invalid')].filter((field) => field.closest('.hidden') === null);

/** LuCI's `ui`. */
export const ui = {
  Textfield,
  Textarea,
  Checkbox,
  Select,
  Dropdown: class extends Select {
    constructor(value: unknown, choices: Choices, options: WidgetOptions = {}) {
      super(value, choices, options);
    }
  },
  Combobox: class extends Textfield {
    constructor(value: unknown, choices: Choices, options: WidgetOptions = {}) {
      super(value, options, choices);
    }
  },
  DynamicList,
  Hiddenfield,

  showModal(title: unknown, children: unknown, ...classes: string[]): Element {
    const dialog = overlay();
    if (!dialog.open) before = document.activeElement;
    const heading = E('h4', { id: 'modal-title' }, title === null || title === undefined ? [] : title);
    const modal = E('div', { class: ['modal', ...classes].join(' ') }, [heading]);
    dom.append(modal, children);
    dialog.setAttribute('aria-labelledby', 'modal-title');
    dialog.replaceChildren(modal);
    if (!dialog.open) dialog.showModal();
    document.body.classList.add('modal-overlay-active');
    modal.querySelector<HTMLElement>('input:not([type=hidden]), select, textarea')?.focus();
    return modal;
  },

  hideModal(): void {
    const dialog = overlay();
    dialog.close();
    dialog.replaceChildren();
    document.body.classList.remove('modal-overlay-active');
    // What opened it may have been drawn again meanwhile.
    const again = before?.isConnected === true || !before?.id ? before : document.getElementById(before.id);
    if (again instanceof HTMLElement) again.focus();
    before = null;
  },

  addNotification,

  addTimeLimitedNotification(title: unknown, children: unknown, timeout = 5000, ...classes: string[]): HTMLElement {
    const node = addNotification(title, children, ...classes);
    setTimeout(() => node.remove(), timeout);
    return node;
  },

  /** A listener that shows that it works, and cannot run twice at a time. As in LuCI, what it throws is only logged. */
  createHandlerFn(context: unknown, handler: unknown, ...args: unknown[]): ((event: Event) => unknown) | null {
    const named = typeof handler === 'string' ? (context as Record<string, unknown>)[handler] : handler;
    if (typeof named !== 'function') return null;
    return (event) => {
      const target = event.currentTarget;
      const button = target instanceof HTMLElement ? target : null;
      button?.classList.add('spinning');
      button?.setAttribute('disabled', '');
      const done = () => {
        button?.classList.remove('spinning');
        button?.removeAttribute('disabled');
      };
      const result = Promise.resolve().then(() => named.call(context, ...args, event));
      return result
        .catch((error: unknown) => {
          if (!(error instanceof FormFault)) console.error(error);
        })
        .finally(done);
    };
  },

  showIndicator(
    id: string,
    label: string,
    handler?: ((event: Event) => void) | null,
    style?: 'active' | 'inactive' | 'danger',
  ): boolean {
    const bar = document.getElementById('indicators');
    if (bar === null) return false;
    const old = bar.querySelector(`[data-indicator="${CSS.escape(id)}"]`);
    const attributes = { class: 'indicator', 'data-indicator': id, 'data-style': style ?? 'active' };
    const node =
      typeof handler === 'function'
        ? E('button', { ...attributes, type: 'button', 'data-clickable': 'true', click: handler }, [label])
        : E('span', attributes, [label]);
    if (
      old?.textContent === label &&
      old.getAttribute('data-style') === (style ?? 'active') &&
      old.tagName === node.tagName
    )
      return false;
    if (old === null) bar.append(node);
    else old.replaceWith(node);
    return true;
  },

  hideIndicator(id: string): boolean {
    const node = document.querySelector(`#indicators [data-indicator="${CSS.escape(id)}"]`);
    node?.remove();
    return node !== null;
  },

  itemlist(node: HTMLElement, items: readonly unknown[], separators?: unknown): HTMLElement {
    const children: unknown[] = [];
    for (let i = 0; i + 1 < items.length; i += 2) {
      const value = items[i + 1];
      if (value === null || value === undefined) continue;
      if (children.length > 0)
        children.push(typeof separators === 'string' || separators === undefined ? E('br') : separators);
      children.push(E('span', { class: 'nowrap' }, [...(items[i] ? [E('strong', {}, [`${items[i]}: `])] : []), value]));
    }
    dom.content(node, children);
    return node;
  },

  pingDevice: (): Promise<unknown> => fetch('/pages/icon.svg', { cache: 'no-store' }),

  tabs: {
    /** Makes tabs of panes that have `data-tab` and `data-tab-title`. */
    initTabGroup(panes: ArrayLike<Element>): void {
      const list = Array.from(panes).filter(
        (pane): pane is HTMLElement => pane instanceof HTMLElement && pane.hasAttribute('data-tab'),
      );
      const [first] = list;
      if (first === undefined || first.parentNode === null) return;
      const menu = E('ul', { class: 'cbi-tabmenu', role: 'tablist' });
      first.parentNode.insertBefore(menu, first);
      const key = `tab:${location.pathname}:${list.map((pane) => pane.dataset['tab']).join()}`;
      const remembered = sessionStorage.getItem(key);
      const select = (chosen: HTMLElement, focus: boolean) => {
        list.forEach((pane, i) => {
          const active = pane === chosen;
          pane.setAttribute('data-tab-active', String(active));
          pane.toggleAttribute('hidden', !active);
          const tab = menu.children[i];
          tab?.classList.toggle('cbi-tab', active);
          tab?.classList.toggle('cbi-tab-disabled', !active);
          const button = tab?.firstElementChild;
          button?.setAttribute('aria-selected', String(active));
          button?.setAttribute('tabindex', active ? '0' : '-1');
          if (active && focus && button instanceof HTMLElement) button.focus();
        });
        sessionStorage.setItem(key, chosen.dataset['tab'] ?? '');
        chosen.dispatchEvent(
          new CustomEvent('cbi-tab-active', { bubbles: true, detail: { tab: chosen.dataset['tab'] } }),
        );
      };
      list.forEach((pane, i) => {
        pane.setAttribute('role', 'tabpanel');
        menu.append(
          E('li', { role: 'presentation', 'data-tab': pane.dataset['tab'] }, [
            E(
              'button',
              {
                type: 'button',
                role: 'tab',
                click: () => select(pane, false),
                keydown: (event: KeyboardEvent) => {
                  const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
                  const next = list[(i + step + list.length) % list.length];
                  if (step !== 0 && next !== undefined) select(next, true);
                },
              },
              [pane.dataset['tabTitle'] ?? ''],
            ),
          ]),
        );
      });
      select(list.find((pane) => pane.dataset['tab'] === remembered) ?? first, false);
      const mark = () => {
        list.forEach((pane, i) => {
          const tab = menu.children[i];
          const count = invalidFields(pane).length;
          if (count === 0) {
            tab?.removeAttribute('data-errors');
            tab?.firstElementChild?.removeAttribute('title');
          } else {
            tab?.setAttribute('data-errors', String(count));
            tab?.firstElementChild?.setAttribute(
              'title',
              N_(count, '%d invalid field', '%d invalid fields').format(count),
            );
          }
        });
      };
      marks.set(menu, mark);
      for (const pane of list) fronts.set(pane, () => select(pane, false));
      for (const event of ['validation-failure', 'validation-success', 'widget-update', 'widget-change'])
        first.parentNode.addEventListener(event, mark);
    },
    /** Brings the first field with a fault into sight. */
    showFault(root: Element): void {
      ui.tabs.updateTabs();
      const [field] = invalidFields(root);
      for (let at = field?.parentElement ?? null; at !== null; at = at.parentElement) fronts.get(at)?.();
      field?.focus();
    },
    isEmptyPane: (pane: unknown): boolean => dom.isEmpty(pane, (node) => node.classList.contains('cbi-tab-descr')),
    updateTabs(): void {
      for (const menu of document.querySelectorAll('.cbi-tabmenu')) marks.get(menu)?.();
    },
  },

  /** What waits on the server to be applied. */
  changes: {
    async init(): Promise<void> {
      try {
        this.renderIndicator(await uci.changes());
      } catch {
        // Without a session there are none to show.
      }
    },

    renderIndicator(changes: Changes): void {
      const count = Object.values(changes).reduce((sum, list) => sum + list.length, 0);
      if (count === 0) ui.hideIndicator('uci-changes');
      else ui.showIndicator('uci-changes', `${_('Unsaved Changes')}: ${count}`, () => void this.displayChanges());
    },

    async displayChanges(): Promise<void> {
      const changes = await uci.changes();
      const lines = Object.entries(changes).flatMap(([config, list]) =>
        list.map((change) => E('li', {}, [E('code', {}, [changeText(config, change)])])),
      );
      const buttons = [
        E('button', { type: 'button', class: 'btn', click: () => ui.hideModal() }, [_('Close')]),
        ' ',
        E('button', { type: 'button', class: 'btn cbi-button-reset', click: () => void this.revert() }, [_('Revert')]),
        ' ',
        E(
          'button',
          { type: 'button', class: 'btn cbi-button-positive important', click: () => void this.apply(true) },
          [_('Save & Apply')],
        ),
      ];
      ui.showModal(_('Not yet applied changes'), [
        E('ul', { class: 'changes' }, lines),
        E('div', { class: 'right button-row' }, buttons),
      ]);
    },

    async apply(_checked?: boolean): Promise<void> {
      ui.showModal(null, [E('p', { class: 'spinning' }, [_('Applying configuration changes…')])]);
      let status: number;
      try {
        status = await uci.apply();
      } catch (error) {
        ui.hideModal();
        addNotification(null, E('p', {}, [error instanceof Error ? error.message : String(error)]), 'danger');
        return;
      }
      if (status !== 0 && status !== NO_DATA) {
        ui.hideModal();
        const text =
          status === PERMISSION_DENIED
            ? _('Somebody else is applying changes at this moment. Try again in a minute.')
            : _('The changes could not be applied (status %d).').format(status);
        addNotification(null, E('p', {}, [text]), 'danger');
        return;
      }
      document.dispatchEvent(new CustomEvent('uci-applied'));
      // The page as it is now, with what the daemon says about its new config.
      setTimeout(() => location.reload(), 300);
    },

    async revert(): Promise<void> {
      for (const config of Object.keys(await uci.changes())) await uci.revert(config);
      document.dispatchEvent(new CustomEvent('uci-reverted'));
      location.reload();
    },
  },
};

/** libubus statuses. */
const NO_DATA = 5;
const PERMISSION_DENIED = 6;

type Changes = Readonly<Record<string, readonly (readonly string[])[]>>;

function changeText(config: string, [kind, section = '', ...rest]: readonly string[]): string {
  const [option, value] = rest;
  switch (kind) {
    case 'add':
      return `uci add ${config} ${option ?? ''} # =${section}`;
    case 'remove':
      return `uci del ${[config, section, ...rest].join('.')}`;
    case 'order':
      return `uci reorder ${config}.${section}=${option ?? ''}`;
    case 'rename':
      return `uci rename ${[config, section, ...rest.slice(0, -1)].join('.')}=${rest.at(-1) ?? ''}`;
    default:
      return `uci ${kind === 'list-add' ? 'add_list' : 'set'} ${config}.${section}.${option ?? ''}='${/passw|secret|token/.test(option ?? '') ? '•••' : (value ?? '')}'`;
  }
}

/** LuCI's `ui.Table`. As in LuCI, a bare string in a cell is HTML. */
export class Table extends Class {
  readonly node: HTMLElement;
  readonly #headings: readonly string[];
  readonly #placeholder: unknown;

  constructor(
    captions: readonly string[],
    options: { readonly id?: string; readonly classes?: string | readonly string[] } = {},
    placeholder?: unknown,
  ) {
    super();
    this.#headings = captions;
    this.#placeholder = placeholder;
    const classes = Array.isArray(options.classes) ? options.classes.join(' ') : (options.classes ?? '');
    this.node = E('table', { id: options.id ?? null, class: `table ${classes}`.trim() }, [
      E(
        'tr',
        { class: 'tr table-titles' },
        captions.map((caption) => E('th', { class: 'th', scope: 'col' }, [caption])),
      ),
    ]);
    dom.bindClassInstance(this.node, this);
  }

  update(rows: readonly (readonly unknown[])[], placeholder?: unknown): void {
    for (const row of [...this.node.querySelectorAll('.tr:not(.table-titles)')]) row.remove();
    const empty = placeholder ?? this.#placeholder;
    if (rows.length === 0 && empty !== undefined) {
      this.node.append(
        E('tr', { class: 'tr placeholder' }, [E('td', { class: 'td', colspan: this.#headings.length }, empty)]),
      );
    }
    for (const row of rows) {
      this.node.append(
        E(
          'tr',
          { class: 'tr' },
          row.map((cell, i) => E('td', { class: 'td', 'data-title': this.#headings[i] ?? null }, cell as unknown)),
        ),
      );
    }
  }

  render(): HTMLElement {
    return this.node;
  }
}
