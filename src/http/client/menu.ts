import { E } from './dom.ts';
import { env, type MenuNode } from './env.ts';
import { _ } from './text.ts';

const here = env.requestpath.join('/');

/** The pages that the account may see, and the title of this one. */
export function renderMenu(): void {
  const nav = document.getElementById('menu');
  if (nav === null) return;
  // On a router the pages stand below "Services"; here there is nothing else.
  const [only, ...others] = env.menu;
  const nodes = only !== undefined && others.length === 0 && only.children.length > 0 ? only.children : env.menu;
  nav.replaceChildren(E('ul', {}, nodes.map(renderNode)));
  const page = findNode(env.menu);
  const heading = document.getElementById('page-name');
  if (heading !== null) heading.textContent = page === undefined ? '' : _(page.title);
  if (page !== undefined) document.title = `${_(page.title)} – SMS Gateway`;
  const button = document.getElementById('menu-button');
  button?.setAttribute('aria-label', _('Menu'));
  button?.addEventListener('click', () => show(button, button.getAttribute('aria-expanded') !== 'true'));
  document.addEventListener('keydown', ({ key }) => {
    if (key !== 'Escape' || button?.getAttribute('aria-expanded') !== 'true') return;
    show(button, false);
    button.focus();
  });
  const logout = document.getElementById('logout');
  if (logout !== null) {
    logout.textContent = _('Log out');
    logout.title = env.username;
  }
}

function show(button: HTMLElement, open: boolean): void {
  button.setAttribute('aria-expanded', String(open));
  document.body.classList.toggle('menu-open', open);
}

function renderNode(node: MenuNode): HTMLElement {
  const current = here === node.path || here.startsWith(`${node.path}/`);
  const link = E('a', { href: `/${node.path}`, 'aria-current': here === node.path ? 'page' : null }, [_(node.title)]);
  const children = current ? node.children.filter(({ title }) => title !== '') : [];
  return E('li', { class: current ? 'active' : null }, [
    link,
    ...(children.length === 0 ? [] : [E('ul', {}, children.map(renderNode))]),
  ]);
}

function findNode(nodes: readonly MenuNode[]): MenuNode | undefined {
  for (const node of nodes) {
    const found = node.path === here ? node : findNode(node.children);
    if (found !== undefined) return found;
  }
  return undefined;
}
