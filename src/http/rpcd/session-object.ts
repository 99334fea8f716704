import type { JsonObject } from '../../base/json.ts';
import { isJsonObject } from '../../base/json.ts';
import type { Logins } from './logins.ts';
import type { Session, Sessions } from './sessions.ts';
import { done, type HostObject, text, type UbusAnswer, ubusStatus } from './status.ts';

/** Seconds without a call: what rpcd takes when the login does not say. */
const TIMEOUT = 300;
const MAX_TIMEOUT = 86_400;

/** Octets of a value that a session keeps. */
const MAX_VALUE = 4096;

/** rpcd's `session`, as far as a person with a browser has use for it. */
export function sessionObject(sessions: Sessions, logins: Logins): HostObject {
  const describe = (session: Session): JsonObject => ({
    ubus_rpc_session: session.id,
    timeout: session.timeout,
    expires: sessions.expires(session),
    acls: session.rights.toJson(),
    data: { username: session.username, ...Object.fromEntries(session.data) },
  });
  return {
    methods: {
      login: {
        args: { username: 'string', password: 'string', timeout: 'integer' },
        async call({ args, address, signal }) {
          const username = text(args['username']);
          const password = text(args['password']);
          const timeout = args['timeout'] ?? TIMEOUT;
          if (username === undefined || password === undefined || !isTimeout(timeout)) {
            return [ubusStatus.invalidArgument];
          }
          const outcome = await logins.logIn({ username, password, timeout, address, signal });
          return 'session' in outcome ? [ubusStatus.ok, describe(outcome.session)] : [ubusStatus.permissionDenied];
        },
      },
      access: {
        args: { scope: 'string', object: 'string', function: 'string' },
        async call({ args, session }) {
          if (session === undefined) return [ubusStatus.notFound];
          const [scope, object, method] = [args['scope'] ?? 'ubus', args['object'], args['function']].map(text);
          if (object === undefined && method === undefined) return [ubusStatus.ok, session.rights.toJson()];
          if (object === undefined || method === undefined) return [ubusStatus.invalidArgument];
          return [ubusStatus.ok, { access: mayAccess(session, scope, object, method) }];
        },
      },
      list: {
        args: {},
        call: async ({ session }) =>
          session === undefined ? [ubusStatus.notFound] : [ubusStatus.ok, describe(session)],
      },
      get: {
        args: { keys: 'array' },
        async call({ args, session }) {
          if (session === undefined) return [ubusStatus.notFound];
          const keys = Array.isArray(args['keys']) ? args['keys'] : undefined;
          const all: JsonObject = { username: session.username, ...Object.fromEntries(session.data) };
          const values =
            keys === undefined
              ? all
              : pick(
                  all,
                  keys.filter((key) => typeof key === 'string'),
                );
          return [ubusStatus.ok, { values }];
        },
      },
      set: {
        args: { values: 'table' },
        async call({ args, session }): Promise<UbusAnswer> {
          const { values } = args;
          if (session === undefined) return [ubusStatus.notFound];
          if (!isJsonObject(values)) return [ubusStatus.invalidArgument];
          for (const [name, value = null] of Object.entries(values)) {
            const fits = name !== 'username' && JSON.stringify(value).length <= MAX_VALUE && session.set(name, value);
            if (!fits) return [ubusStatus.invalidArgument];
          }
          return done;
        },
      },
      unset: {
        args: { keys: 'array' },
        async call({ args, session }) {
          if (session === undefined) return [ubusStatus.notFound];
          const keys = Array.isArray(args['keys']) ? args['keys'] : [...session.data.keys()];
          for (const key of keys) if (typeof key === 'string') session.unset(key);
          return done;
        },
      },
      destroy: {
        args: {},
        async call({ session }) {
          if (session === undefined) return [ubusStatus.notFound];
          sessions.destroy(session.id);
          return done;
        },
      },
    },
  };
}

const isTimeout = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MAX_TIMEOUT;

function mayAccess(session: Session, scope: string | undefined, object: string, method: string): boolean {
  const { rights } = session;
  if (scope === 'ubus') return rights.mayCall(object, method);
  if (scope === 'uci') return (method === 'read' || method === 'write') && rights.mayTouch(object, method);
  if (scope === 'access-group') return rights.groups.get(object)?.some((permission) => permission === method) ?? false;
  return false;
}

const pick = (all: JsonObject, keys: readonly string[]): JsonObject =>
  Object.fromEntries(keys.filter((key) => Object.hasOwn(all, key)).map((key) => [key, all[key]]));
