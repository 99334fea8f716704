import { isJsonObject, type Json, type JsonObject } from '../../base/json.ts';
import type { Rights } from '../rpcd/acl.ts';

/** One page, or a folder of pages, as a person with these rights sees it. */
export interface MenuNode {
  /** `admin/services/sms_gateway/overview`. */
  readonly path: string;
  readonly title: string;
  readonly order: number;
  /** The view that it shows: `sms_gateway/overview`. */
  readonly view?: string;
  /** Whether the person may only look. */
  readonly readonly: boolean;
  readonly children: readonly MenuNode[];
}

/** Reads the nodes of menu.d, which are keyed by path, into a tree of what these rights show, in the menu's order. */
export function buildMenu(nodes: JsonObject, rights: Rights): readonly MenuNode[] {
  const paths = Object.keys(nodes).filter((path) => isVisible(path, nodes, rights));
  // A node whose parent has no entry of its own stands at the top.
  return inOrder(
    paths.filter((path) => !paths.includes(parentOf(path))).map((path) => nodeOf(path, paths, nodes, rights)),
  );
}

/** The node for a path of the browser: itself, or the first page below it. */
export function findPage(menu: readonly MenuNode[], path: string): MenuNode | undefined {
  for (const node of menu) {
    if (path === '' || node.path === path) return firstPage(node);
    if (path.startsWith(`${node.path}/`)) return findPage(node.children, path) ?? firstPage(node);
  }
  return undefined;
}

function firstPage(node: MenuNode): MenuNode | undefined {
  if (node.view !== undefined) return node;
  for (const child of node.children) {
    const page = firstPage(child);
    if (page !== undefined) return page;
  }
  return undefined;
}

function nodeOf(path: string, paths: readonly string[], nodes: JsonObject, rights: Rights): MenuNode {
  const node = nodes[path] as JsonObject;
  const { title, order, action } = node;
  const view = isJsonObject(action) && action['type'] === 'view' ? action['path'] : undefined;
  return {
    path,
    title: typeof title === 'string' ? title : '',
    order: typeof order === 'number' ? order : 999,
    ...(typeof view === 'string' && { view }),
    readonly: groupsOf(node).length > 0 && !groupsOf(node).some((group) => rights.groups.get(group)?.includes('write')),
    children: inOrder(
      paths.filter((child) => parentOf(child) === path).map((child) => nodeOf(child, paths, nodes, rights)),
    ),
  };
}

const inOrder = (nodes: readonly MenuNode[]): readonly MenuNode[] =>
  [...nodes].sort((a, b) => a.order - b.order || (a.path < b.path ? -1 : 1));

/** A node shows when its own groups, and those of the nodes above it, are granted. */
function isVisible(path: string, nodes: JsonObject, rights: Rights): boolean {
  const node = nodes[path];
  if (!isJsonObject(node)) return false;
  if (groupsOf(node).some((group) => !rights.groups.has(group))) return false;
  const parent = parentOf(path);
  return !isJsonObject(nodes[parent]) || isVisible(parent, nodes, rights);
}

/** What a page needs. Other conditions of menu.d are about files that only a router has. */
function groupsOf(node: JsonObject): readonly string[] {
  const acl: Json | undefined = isJsonObject(node['depends']) ? node['depends']['acl'] : undefined;
  return Array.isArray(acl) ? acl.filter((group) => typeof group === 'string') : [];
}

const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));
