import { isoTime } from '../../base/clock.ts';
import type { JsonObject } from '../../base/json.ts';
import type { ModuleStatus } from '../../modules/host/contract.ts';
import { type Argument, implement, type RpcObject, type Signatures } from '../method.ts';

/** The gateway functions as the namespace needs them. Unknown names throw module_not_found. */
export interface ModuleDirectory {
  list(): readonly ModuleStatus[];
  status(name: string): ModuleStatus & { readonly details: JsonObject };
  restart(name: string): Promise<ModuleStatus>;
  /** One real try of the connection that the module depends on; resolves to a sentence about it. */
  test(name: string, signal: AbortSignal): Promise<string>;
}

const name = { type: 'string', required: true, help: 'Name of the module.' } as const satisfies Argument;

const status = {
  name: 'Name of the module.',
  enabled: 'Whether the config enables it.',
  state: '`disabled`, `error` (its section of the config is wrong), `starting`, `running`, `failed` or `stopping`.',
  since: 'When it came to this state.',
  error: 'Why it does not run, or what fails in its work while it runs; cleared by the next success.',
  error_since: 'Since when its work or its start fails.',
  next_try: 'When its start, or what fails in its work, is tried next; absent where it does not say.',
  pending: 'Deliveries that wait.',
  counters: 'What it has done since it started.',
} as const;

export const moduleSignatures = {
  list: {
    help: 'Lists the gateway functions.',
    args: {},
    result: { modules: 'Array of modules, with the fields of `status` but `details`.' },
  },
  status: {
    help: 'Returns the state of one module.',
    args: { module: name },
    result: { ...status, details: 'What the module itself reports.' },
  },
  restart: { help: 'Stops and starts one module; the others notice nothing.', args: { module: name }, result: status },
  test: {
    help: 'Makes one real try of the connection that the module depends on: a login, a test mail, a test request.',
    args: { module: name },
    result: { message: 'A sentence about how it went; a failed try is an error.' },
  },
} as const satisfies Signatures;

export function moduleFields({ since, error, errorSince, nextTry, ...status }: ModuleStatus): JsonObject {
  return {
    ...status,
    since: isoTime(since),
    ...(error !== undefined && { error }),
    ...(errorSince !== undefined && { error_since: isoTime(errorSince) }),
    ...(nextTry !== undefined && { next_try: isoTime(nextTry) }),
  };
}

/** `sms_gateway.module`. */
export function moduleObject(modules: ModuleDirectory): RpcObject {
  return implement('sms_gateway.module', moduleSignatures, {
    list: async () => ({ modules: modules.list().map(moduleFields) }),
    status: async ({ module }) => {
      const status = modules.status(module);
      return { ...moduleFields(status), details: status.details };
    },
    restart: async ({ module }) => moduleFields(await modules.restart(module)),
    test: async ({ module }, { signal }) => ({ message: await modules.test(module, signal) }),
  });
}
