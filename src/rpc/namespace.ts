import { describeError, GatewayError, toGatewayError } from '../base/errors.ts';
import type { JsonObject } from '../base/json.ts';
import type { Logger } from '../base/log.ts';
import type { Redactor } from '../base/redactor.ts';
import { matchesPattern, ownWords } from './events.ts';
import type { ArgumentType, Caller, Method, RpcObject } from './method.ts';
import { checkArguments, clip } from './method.ts';

/** Object → method → argument → type, as `ubus -v list` shows it. */
export type Listing = Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, ArgumentType>>>>>>;

/** The objects that callers see, whichever transport they come by. */
export class Namespace {
  readonly #objects = new Map<string, RpcObject>();
  readonly #watchers = new Map<object, () => void>();
  readonly #log: Logger;
  readonly #redactor: Redactor | undefined;

  /** The redactor hides secrets in errors, and in the states of modems and functions. */
  constructor(log: Logger, redactor?: Redactor) {
    this.#log = log;
    this.#redactor = redactor;
  }

  /** Adds an object, or replaces the one of that name. */
  add(object: RpcObject): void {
    this.#objects.set(object.name, object);
    this.#tellChange();
  }

  remove(name: string): void {
    if (this.#objects.delete(name)) this.#tellChange();
  }

  /** Calls back when objects have been added or removed, until `offChange(owner)`. */
  onChange(owner: object, changed: () => void): void {
    this.#watchers.set(owner, changed);
  }

  offChange(owner: object): void {
    this.#watchers.delete(owner);
  }

  /** All objects by name, for transports that register them elsewhere. */
  objects(): readonly RpcObject[] {
    return [...this.#objects.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The signatures of the objects whose names fit the pattern; of all objects without one. */
  list(pattern = '*'): Listing {
    const shown = this.objects().filter((object) => matchesPattern(pattern, object.name));
    return Object.fromEntries(shown.map(({ name, methods }) => [name, mapValues(methods, typesOf)]));
  }

  /**
   * Calls a method. Rejects with GatewayError only: object_not_found, method_not_found, invalid_argument, `stopping`
   * when the caller's signal ended the call, or what the method throws. Anything unforeseen is logged and becomes
   * `internal`.
   */
  async call(object: string, method: string, args: JsonObject, caller: Caller): Promise<JsonObject> {
    const found = this.#find(object, method);
    const where = `${object} ${method}`;
    checkArguments(where, found, args);
    try {
      const result = await found.call(args, caller);
      return showsStates.test(where) ? (this.#redactor?.hideIn(result, ownWords) ?? result) : result;
    } catch (error) {
      if (error instanceof GatewayError) throw this.#redacted(error);
      if (caller.signal.aborted) throw new GatewayError('stopping', `${where}: given up`, { cause: error });
      this.#log.error(`${where} failed: ${describeError(error)}`);
      throw toGatewayError(error);
    }
  }

  #redacted(error: GatewayError): GatewayError {
    const message = this.#redactor?.hide(error.message) ?? error.message;
    return message === error.message ? error : new GatewayError(error.code, message, error);
  }

  #tellChange(): void {
    for (const changed of [...this.#watchers.values()]) changed();
  }

  #find(name: string, method: string): Method {
    const object = this.#objects.get(name);
    if (object === undefined) {
      const known = this.objects().map((known) => known.name);
      throw new GatewayError('object_not_found', `no object ${clip(name)}; there are: ${known.join(', ')}`);
    }
    const found = Object.hasOwn(object.methods, method) ? object.methods[method] : undefined;
    if (found === undefined) {
      const known = Object.keys(object.methods).join(', ');
      throw new GatewayError('method_not_found', `${name} has no method ${clip(method)}; it has: ${known}`);
    }
    return found;
  }
}

/** Methods whose results repeat what modems and servers say. Texts of messages are not touched. */
const showsStates = /^sms_gateway(?: (?:status|reload)|\.(?:modem|module) .*)$/;

const typesOf = (method: Method) => mapValues(method.args, (argument) => argument.type);

function mapValues<V, W>(record: Readonly<Record<string, V>>, map: (value: V) => W): Record<string, W> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
