import { GatewayError } from '../base/errors.ts';
import { matchesPattern } from './events.ts';
import type { Callable } from './json-rpc.ts';
import { clip } from './method.ts';
import type { Listing } from './namespace.ts';

/** What somebody may call: methods by object. Events are for whoever may read. */
type Grants = Readonly<Record<string, readonly string[]>>;

const read = {
  sms_gateway: ['status', 'describe', 'health', 'metrics', 'version'],
  'sms_gateway.message': ['list', 'total', 'status', 'statistics', 'segments'],
  'sms_gateway.modem': ['list', 'status'],
  'sms_gateway.module': ['list', 'status'],
} as const satisfies Grants;

/** Parts of the namespace for those who need not administer the gateway, as rpcd's acl.d grants them to web accounts. */
export const roles = {
  read,
  send: {
    ...read,
    'sms_gateway.message': [...read['sms_gateway.message'], 'send', 'read', 'delete', 'cancel', 'retry'],
  },
} as const satisfies Readonly<Record<string, Grants>>;

export type Role = keyof typeof roles;

/** Why the role's socket is missing. */
export const noGroup = (role: Role, group: string): string =>
  `gateway.${role}_group: there is no group ${group} on this system, so the socket for it is missing`;

/** What the role leaves of a namespace. Calls beyond it throw GatewayError access_denied. */
export function limitedTo(role: Role, namespace: Callable): Callable {
  const grants: Grants = roles[role];
  const granted = (object: string): readonly string[] => (Object.hasOwn(grants, object) ? (grants[object] ?? []) : []);
  return {
    list: (pattern = '*') => {
      const all: Listing = namespace.list(pattern);
      const shown = Object.entries(all).filter(([name]) => matchesPattern(pattern, name) && granted(name).length > 0);
      const methodsOf = (name: string, methods: Listing[string]) =>
        Object.fromEntries(Object.entries(methods).filter(([method]) => granted(name).includes(method)));
      return Object.fromEntries(shown.map(([name, methods]) => [name, methodsOf(name, methods)]));
    },
    call: async (object, method, args, caller) => {
      if (granted(object).includes(method)) return namespace.call(object, method, args, caller);
      throw new GatewayError('access_denied', `${clip(object)} ${clip(method)} is not for the role ${role}`);
    },
  };
}
