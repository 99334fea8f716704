import { E } from './dom.ts';
import { env } from './env.ts';
import { listen, stopListening } from './live.ts';
import { L } from './luci.ts';
import { renderMenu } from './menu.ts';
import { watchServer } from './rpc.ts';
import { _, extendString, N_, useCatalogue } from './text.ts';
import { ui } from './ui.ts';
import { View } from './view.ts';

/** Starts the page that the server has chosen. */
async function start(): Promise<void> {
  extendString();
  Object.assign(window, { L, E, _, N_ });
  if (env.catalogue !== undefined) {
    const catalogue = await fetch(env.catalogue).then(
      (response) => response.json(),
      () => ({}),
    );
    useCatalogue(catalogue, env.language);
  }
  renderMenu();
  watchServer(
    (reached) => {
      if (reached) ui.hideIndicator('connection');
      else ui.showIndicator('connection', _('Connection lost, trying again'), null, 'danger');
    },
    () => {
      stopListening();
      L.notifySessionExpiry();
    },
  );
  void ui.changes.init();
  const view = await L.require(`view.${env.view.replaceAll('/', '.')}`);
  if (view instanceof View) await view.open();
  listen();
}

start().catch((error: unknown) => {
  document.getElementById('view')?.replaceChildren();
  ui.addNotification(
    _('This page could not be loaded'),
    E('p', {}, [error instanceof Error ? error.message : String(error)]),
    'danger',
  );
});
