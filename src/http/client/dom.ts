import { type Class, members } from './class.ts';

/** What may stand in an element: nodes, text in an array, HTML in a bare string. */
export type Children = unknown;
export type Attributes = Readonly<Record<string, unknown>> | null;

const stored = new WeakMap<Node, Record<string, unknown>>();

const isNode = (value: unknown): value is Node => value instanceof Node;

/** LuCI's `dom`. */
export const dom = {
  elem: isNode,

  parse(html: string): Element | null {
    const template = document.createElement('template');
    template.innerHTML = html.trim();
    return template.content.firstElementChild;
  },

  matches: (node: unknown, selector: string): boolean => node instanceof Element && node.matches(selector),

  parent(node: unknown, selector?: string): Element | null {
    if (selector === undefined) return isNode(node) ? node.parentElement : null;
    return node instanceof Element ? node.closest(selector) : null;
  },

  /** A text in an array is text. A bare string is HTML, as in LuCI: never pass one that came from elsewhere. */
  append(node: unknown, children?: Children): Node | null {
    if (!isNode(node)) return null;
    if (Array.isArray(children)) {
      for (const child of children) node.appendChild(isNode(child) ? child : document.createTextNode(String(child)));
      return node.lastChild;
    }
    if (typeof children === 'function') return dom.append(node, children(node));
    if (isNode(children)) return node.appendChild(children);
    if (children === null || children === undefined) return null;
    if (node instanceof Element) node.innerHTML = String(children);
    return node.lastChild;
  },

  content(node: unknown, children?: Children): Node | null {
    if (!isNode(node)) return null;
    node.textContent = '';
    return dom.append(node, children);
  },

  attr(node: unknown, key: unknown, value?: unknown): string | null {
    if (!(node instanceof Element)) return null;
    if (typeof key === 'string' && value === undefined) return node.getAttribute(key);
    const entries = typeof key === 'string' ? [[key, value] as const] : Object.entries((key as object | null) ?? {});
    for (const [name, each] of entries) {
      if (each === null || each === undefined) continue;
      if (typeof each === 'function') node.addEventListener(name, each as EventListener);
      else node.setAttribute(name, typeof each === 'object' ? JSON.stringify(each) : String(each));
    }
    return null;
  },

  create(html: unknown, attributes?: unknown, children?: Children): Node | null {
    const plain =
      typeof attributes === 'object' && attributes !== null && !Array.isArray(attributes) && !isNode(attributes);
    const [attrs, content] = plain ? [attributes as Attributes, children] : [null, attributes ?? children];
    let node: Node | null;
    if (Array.isArray(html)) {
      node = document.createDocumentFragment();
      for (const each of html) dom.append(node, dom.create(each));
    } else if (isNode(html)) node = html;
    else node = String(html).startsWith('<') ? dom.parse(String(html)) : document.createElement(String(html));
    if (node === null) return null;
    dom.attr(node, attrs);
    dom.append(node, content);
    return node;
  },

  data(node: unknown, key?: string | null, value?: unknown): unknown {
    if (!isNode(node)) return null;
    if (key === null) {
      const old = stored.get(node);
      stored.delete(node);
      return old;
    }
    const all = stored.get(node);
    if (key === undefined) return all ?? null;
    if (value === undefined) return all?.[key] ?? null;
    if (value === null) delete all?.[key];
    else stored.set(node, { ...all, [key]: value });
    return value;
  },

  bindClassInstance<T extends object>(node: unknown, instance: T): T {
    dom.data(node, '_class', instance);
    return instance;
  },

  /** The instance that belongs to the node, or to the nearest one around it. */
  findClassInstance(node: unknown): Class | null {
    for (let at = isNode(node) ? node : null; at !== null; at = at.parentNode) {
      const found = dom.data(at, '_class');
      if (found !== null) return found as Class;
    }
    return null;
  },

  callClassMethod(node: unknown, method: string, ...args: unknown[]): unknown {
    const instance = dom.findClassInstance(node);
    const found = instance === null ? undefined : members(instance)[method];
    return typeof found === 'function' ? found.apply(instance, args) : null;
  },

  isEmpty(node: unknown, ignore?: (child: Element) => boolean): boolean {
    return node instanceof Element
      ? [...node.children].every((child) => child.classList.contains('hidden') || ignore?.(child) === true)
      : true;
  },
};

/** LuCI's `E`: makes an element. */
export function E(html: unknown, attributes?: unknown, children?: Children): HTMLElement {
  return dom.create(html, attributes, children) as HTMLElement;
}
