// biome-ignore-all lint/complexity/noThisInStatic: a class made by `extend` is the `this` of its own static methods.
/** What `extend` puts on a class: methods, and values that instances begin with. */
export type Properties = Readonly<Record<string, unknown>>;

type Constructor<T> = new (...args: never[]) => T;

/** Every member of an instance by its name: views add and replace what they like. */
export type Members = Record<string, unknown>;

/** LuCI's way of making classes, which views use: `baseclass.extend({ … })`. */
export class Class {
  /** Which implementation of a method `super` has come to, while it runs. */
  readonly #reached = new Map<string, object>();

  constructor(...args: unknown[]) {
    const init = members(this)['__init__'];
    if (typeof init === 'function') init.apply(this, args);
  }

  /** A subclass with these methods and values on its prototype. */
  static extend<T extends Class>(this: Constructor<T>, properties: Properties): Constructor<T> & typeof Class {
    const base = this as unknown as typeof Class;
    const derived = class extends base {};
    for (const [name, value] of Object.entries(properties)) {
      Object.defineProperty(derived.prototype, name, { value, writable: true, configurable: true, enumerable: true });
    }
    return derived as unknown as Constructor<T> & typeof Class;
  }

  static instantiate<T extends Class>(this: Constructor<T>, args: readonly unknown[]): T {
    return new (this as unknown as new (...args: unknown[]) => T)(...args);
  }

  static singleton<T extends Class>(this: Constructor<T>, properties: Properties, ...args: unknown[]): T {
    const derived = Class.extend.call(this as never, properties) as unknown as new (...args: unknown[]) => T;
    return new derived(...args);
  }

  static isSubclass(candidate: unknown): boolean {
    return typeof candidate === 'function' && (candidate === this || candidate.prototype instanceof this);
  }

  /** The next implementation of a method up the chain, called with `args`: an array, or the arguments themselves. */
  super(name: string, ...args: unknown[]): unknown {
    const owner = nextOwner(this.#reached.get(name) ?? nextOwner(this, name), name);
    if (owner === undefined) return undefined;
    const method = (owner as Members)[name];
    if (typeof method !== 'function') return method;
    const [first] = args;
    const isArguments =
      args.length === 1 && (Array.isArray(first) || Object.prototype.toString.call(first) === '[object Arguments]');
    const before = this.#reached.get(name);
    this.#reached.set(name, owner);
    try {
      return method.apply(this, isArguments ? Array.from(first as ArrayLike<unknown>) : args);
    } finally {
      if (before === undefined) this.#reached.delete(name);
      else this.#reached.set(name, before);
    }
  }

  /** The arguments from `offset` on, behind `extra`. */
  varargs(args: ArrayLike<unknown>, offset: number, ...extra: unknown[]): unknown[] {
    return [...extra, ...Array.from(args).slice(offset)];
  }
}

export const members = (instance: object): Members => instance as Members;

/** The object above `from` in its chain of prototypes that has a member of that name itself. */
function nextOwner(from: object | undefined, name: string): object | undefined {
  let at: object | null = from === undefined ? null : Object.getPrototypeOf(from);
  while (at !== null && !Object.hasOwn(at, name)) at = Object.getPrototypeOf(at);
  return at ?? undefined;
}
