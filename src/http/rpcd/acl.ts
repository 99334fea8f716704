import { isJsonObject, type Json, type JsonObject } from '../../base/json.ts';

export type Permission = 'read' | 'write';

/** One part of a group: what its holder may call, and which configs it may touch. */
interface Grants {
  readonly ubus: ReadonlyMap<string, readonly string[]>;
  readonly uci: readonly string[];
}

/** A named group of rights, as the files in rpcd's acl.d have it. */
export interface AclGroup {
  readonly name: string;
  readonly read: Grants;
  readonly write: Grants;
}

/** Which groups an account has. Takes the name of a group. */
export type GroupTest = (permission: Permission, group: string) => boolean;

/** What everybody may, to become somebody. */
const unauthenticated: Grants = { ubus: new Map([['session', ['access', 'login']]]), uci: [] };

/** What LuCI's own group gives every account that has a group at all. */
const base: Readonly<Record<Permission, Grants>> = {
  read: {
    ubus: new Map([
      ['session', ['access', 'destroy', 'get', 'list', 'login', 'set', 'unset']],
      ['uci', ['changes', 'configs', 'get']],
    ]),
    uci: [],
  },
  write: {
    ubus: new Map([
      ['uci', ['add', 'apply', 'commit', 'confirm', 'delete', 'order', 'rename', 'revert', 'rollback', 'set']],
    ]),
    uci: [],
  },
};

/** Reads the JSON of one acl.d file. What is no group, or grants nothing we know, is left out. */
export function readAclFile(file: Json): readonly AclGroup[] {
  if (!isJsonObject(file)) return [];
  return Object.entries(file).flatMap(([name, group]) =>
    isJsonObject(group) ? [{ name, read: readGrants(group['read']), write: readGrants(group['write']) }] : [],
  );
}

function readGrants(part: Json | undefined): Grants {
  const { ubus, uci } = isJsonObject(part) ? part : ({} as JsonObject);
  const objects = isJsonObject(ubus) ? Object.entries(ubus) : [];
  return { ubus: new Map(objects.map(([object, methods]) => [object, strings(methods)])), uci: strings(uci) };
}

const strings = (list: Json | undefined): readonly string[] =>
  Array.isArray(list) ? list.filter((item) => typeof item === 'string') : [];

/** What a session may do. */
export class Rights {
  /** The groups of the account, for the menu. */
  readonly groups: ReadonlyMap<string, readonly Permission[]>;
  readonly #granted: readonly Grants[];
  readonly #configs: Readonly<Record<Permission, readonly string[]>>;

  /** The rights of somebody who has not logged in. */
  static readonly nobody = new Rights([], () => false);

  constructor(groups: readonly AclGroup[], has: GroupTest) {
    const reads = groups.filter(({ name }) => has('read', name));
    const writes = groups.filter(({ name }) => has('write', name));
    this.groups = new Map(
      reads.map(({ name }) => [name, has('write', name) ? (['read', 'write'] as const) : (['read'] as const)]),
    );
    this.#granted = [
      unauthenticated,
      ...(reads.length > 0 ? [base.read] : []),
      ...(writes.length > 0 ? [base.write] : []),
      ...reads.map(({ read }) => read),
      ...writes.map(({ write }) => write),
    ];
    this.#configs = {
      read: reads.flatMap(({ read }) => read.uci),
      write: writes.flatMap(({ write }) => write.uci),
    };
  }

  mayCall(object: string, method: string): boolean {
    return this.#granted.some(({ ubus }) =>
      [...ubus].some(
        ([name, methods]) => matchesGlob(name, object) && methods.some((pattern) => matchesGlob(pattern, method)),
      ),
    );
  }

  mayTouch(config: string, permission: Permission): boolean {
    return this.#configs[permission].some((pattern) => matchesGlob(pattern, config));
  }

  /** As `session access` and `session login` show them. */
  toJson(): JsonObject {
    const ubus: Record<string, string[]> = {};
    for (const [object, methods] of this.#granted.flatMap((grants) => [...grants.ubus])) {
      ubus[object] = [...new Set([...(ubus[object] ?? []), ...methods])];
    }
    const uci: Record<string, string[]> = {};
    for (const permission of ['read', 'write'] as const) {
      for (const config of this.#configs[permission]) uci[config] = [...(uci[config] ?? []), permission];
    }
    return { 'access-group': Object.fromEntries(this.groups), ubus, uci };
  }
}

/** fnmatch(3) without flags, `*` and `?` only. */
export function matchesGlob(pattern: string, text: string): boolean {
  const [head = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return sameButMarks(head, text) && head.length === text.length;
  if (!sameButMarks(head, text)) return false;
  let at = head.length;
  const tail = rest.pop() ?? '';
  for (const piece of rest) {
    while (at + piece.length <= text.length && !sameButMarks(piece, text.slice(at))) at++;
    if (at + piece.length > text.length) return false;
    at += piece.length;
  }
  return text.length - tail.length >= at && sameButMarks(tail, text.slice(text.length - tail.length));
}

/** Whether `text` begins with `piece`, where `?` stands for any character. */
function sameButMarks(piece: string, text: string): boolean {
  return piece.length <= text.length && [...piece.split('')].every((char, i) => char === '?' || char === text[i]);
}
