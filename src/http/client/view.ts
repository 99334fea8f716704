import { Class, members } from './class.ts';
import { dom, E } from './dom.ts';
import { env } from './env.ts';
import { _ } from './text.ts';
import { ui } from './ui.ts';

type Handler = ((event: Event, mode?: string) => unknown) | null;

/** LuCI's `view`: a page. What `render` returns is shown, with the buttons of a form below. */
export class View extends Class {
  declare handleSave: Handler;
  declare handleSaveApply: Handler;
  declare handleReset: Handler;

  load(): unknown {
    return undefined;
  }

  render(_data: unknown): unknown {
    return E('div');
  }

  addFooter(): Node {
    const { handleSave, handleSaveApply, handleReset } = this;
    const readonly = env.readonly;
    const forms = [...document.querySelectorAll('#view .cbi-map')];
    if (forms.length === 0 || forms.every((form) => members(dom.findClassInstance(form) ?? {})['readonly'] === true))
      return document.createDocumentFragment();
    const button = (handler: Handler, classes: string, label: string): Node[] =>
      handler
        ? [
            E(
              'button',
              {
                type: 'button',
                class: `btn ${classes}`,
                disabled: readonly ? '' : null,
                click: ui.createHandlerFn(this, handler),
              },
              [label],
            ),
            document.createTextNode(' '),
          ]
        : [];
    const buttons = [
      ...button(handleSaveApply, 'cbi-button-apply important', _('Save & Apply')),
      ...button(handleSave, 'cbi-button-save', _('Save')),
      ...button(handleReset, 'cbi-button-reset', _('Reset')),
    ];
    return buttons.length === 0 ? document.createDocumentFragment() : E('div', { class: 'cbi-page-actions' }, buttons);
  }

  /** Loads and shows the page. */
  async open(): Promise<void> {
    const place = document.getElementById('view');
    try {
      const data = await this.load();
      const nodes = await this.render(data);
      dom.content(place, nodes);
      dom.append(place, this.addFooter());
    } catch (error) {
      dom.content(place, []);
      ui.addNotification(
        _('This page could not be loaded'),
        E('p', {}, [error instanceof Error ? error.message : String(error)]),
        'danger',
      );
      console.error(error);
    }
  }
}

const forms = (): readonly Element[] => [...document.querySelectorAll('#maincontent .cbi-map')];

Object.assign(View.prototype, {
  async handleSave() {
    await Promise.all(forms().map((form) => dom.callClassMethod(form, 'save')));
    await ui.changes.init();
  },
  async handleSaveApply(this: View, event: Event, mode?: string) {
    await this.handleSave?.(event);
    await ui.changes.apply(mode === '0');
  },
  async handleReset() {
    await Promise.all(forms().map((form) => dom.callClassMethod(form, 'reset')));
  },
});
