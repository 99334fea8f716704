import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { describeError } from '../../base/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../base/json.ts';
import type { Logger } from '../../base/log.ts';
import { PACKAGE } from '../../config/load-config.ts';
import { repeatedNames, repeatedSections, singleNames, singleSections } from '../../config/schema/index.ts';
import type { SectionSchema } from '../../config/schema/option.ts';
import { isSecret } from '../../config/secrets.ts';
import {
  commitPackage,
  loadPackage,
  replaceConfigFile,
  UciError,
  type UciPackage,
  type UciSection,
  type UciValue,
} from '../../config/uci-parse-lite/index.ts';
import type { ArgumentType } from '../../rpc/method.ts';
import type { Permission } from './acl.ts';
import type { Session } from './sessions.ts';
import { type Change, stagedName } from './staged-changes.ts';
import { type Call, done, type HostMethod, type HostObject, text, type UbusAnswer, ubusStatus } from './status.ts';

export interface UciObjectOptions {
  readonly directory: string;
  /** Takes up the file as it is now. Never rejects. */
  readonly reload: () => Promise<unknown>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Seconds that rpcd waits for the confirmation of an apply, when the caller does not say. */
const CONFIRM_TIMEOUT = 60;
const MAX_CONFIRM_TIMEOUT = 600;

/** A refusal with its status. */
class Refused extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`status ${status}`);
    this.status = status;
  }
}

/** An applied change that goes back unless somebody confirms it. */
interface Pending {
  readonly session: string;
  readonly before: Buffer;
  readonly cancel: () => void;
}

/** rpcd's `uci`, for the one package that the gateway has. */
export class UciObject implements HostObject {
  readonly methods: Readonly<Record<string, HostMethod>>;
  readonly #options: UciObjectOptions;
  #pending: Pending | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: UciObjectOptions) {
    this.#options = options;
    const section = { config: 'string', section: 'string', type: 'string', match: 'table' } as const;
    this.methods = {
      configs: this.#method({}, async () => [ubusStatus.ok, { configs: [PACKAGE] }]),
      get: this.#method({ ...section, option: 'string' }, (call) => this.#get(call)),
      set: this.#method({ ...section, values: 'table' }, (call) => this.#set(call)),
      add: this.#method({ config: 'string', type: 'string', name: 'string', values: 'table' }, (call) =>
        this.#add(call),
      ),
      delete: this.#method({ ...section, option: 'string', options: 'array' }, (call) => this.#delete(call)),
      rename: this.#method({ config: 'string', section: 'string', option: 'string', name: 'string' }, (call) =>
        this.#rename(call),
      ),
      order: this.#method({ config: 'string', sections: 'array' }, (call) => this.#order(call)),
      changes: this.#method({ config: 'string' }, (call) => this.#changes(call)),
      revert: this.#method({ config: 'string' }, async (call) => {
        this.#mustWrite(call).changes.clear();
        return done;
      }),
      commit: this.#method({ config: 'string' }, async (call) => {
        await this.#commit(this.#mustWrite(call));
        await options.reload();
        return done;
      }),
      apply: this.#method({ rollback: 'boolean', timeout: 'integer' }, (call) => this.#apply(call)),
      confirm: this.#method({}, async (call) => this.#confirm(call)),
      rollback: this.#method({}, (call) => this.#rollBack(call)),
    };
  }

  /** Puts back what nobody has confirmed. */
  async stop(): Promise<void> {
    await this.#exclusive(() => this.#restore('the gateway is stopping'));
  }

  #method(args: HostMethod['args'], call: (call: Call) => Promise<UbusAnswer>): HostMethod {
    const answer = async (of: Call): Promise<UbusAnswer> => {
      try {
        return await call(of);
      } catch (error) {
        if (error instanceof Refused) return [error.status];
        if (error instanceof UciError) return [ubusStatus.invalidArgument, { message: error.message }];
        this.#options.log.error(`the config could not be changed: ${describeError(error)}`);
        return [ubusStatus.unknownError, { message: 'the file could not be written, see the log' }];
      }
    };
    // One after the other: each reads, changes and writes the same file.
    return { args: args as Readonly<Record<string, ArgumentType>>, call: (of) => this.#exclusive(() => answer(of)) };
  }

  #exclusive<T>(section: () => Promise<T>): Promise<T> {
    const result = this.#last.then(section);
    this.#last = result.catch(() => undefined);
    return result;
  }

  async #get(call: Call): Promise<UbusAnswer> {
    const session = this.#may(call, 'read');
    const uci = await this.#load(session);
    const { args } = call;
    const shown = (section: UciSection) => sectionValues(uci, section, !session.rights.mayTouch(PACKAGE, 'write'));
    const name = text(args['section']);
    if (name === undefined) {
      // Who may not see a secret may not guess at it either.
      if (args['match'] !== undefined && !session.rights.mayTouch(PACKAGE, 'write')) {
        return [ubusStatus.permissionDenied];
      }
      const found = matching(uci, args);
      return [ubusStatus.ok, { values: Object.fromEntries(found.map((section) => [section.name, shown(section)])) }];
    }
    const section = uci.section(name);
    if (section === undefined) return [ubusStatus.notFound];
    const values = shown(section);
    const option = text(args['option']);
    if (option === undefined) return [ubusStatus.ok, { values }];
    const value = Object.hasOwn(values, option) && !option.startsWith('.') ? values[option] : undefined;
    return value === undefined ? [ubusStatus.notFound] : [ubusStatus.ok, { value }];
  }

  async #set(call: Call): Promise<UbusAnswer> {
    const session = this.#mustWrite(call);
    const { args } = call;
    const values = optionValues(args['values']);
    const changes: Change[] = [];
    for (const section of await this.#targets(session, args)) {
      for (const [option, value] of values) {
        // As rpcd: a value that is there already is no change.
        if (sameValue(section.options.get(option)?.value, value)) continue;
        // Refuses what uci would not take.
        section.set(option, value);
        const place = { section: section.name, option };
        changes.push(value.length === 0 ? { kind: 'remove', ...place } : { kind: 'set', ...place, value });
      }
    }
    for (const change of changes) this.#stage(session, change);
    return done;
  }

  async #add(call: Call): Promise<UbusAnswer> {
    const session = this.#mustWrite(call);
    const { args } = call;
    const [type, name] = [text(args['type']), text(args['name'])];
    if (type === undefined) return [ubusStatus.invalidArgument];
    const values = args['values'] === undefined ? [] : optionValues(args['values']);
    const uci = await this.#load(session);
    const section = name ?? stagedName();
    // Refuses wrong names and types, and a name that is taken.
    const added = uci.add(type, section, 0, name === undefined);
    for (const [option, value] of values) added.set(option, value);
    this.#stage(session, { kind: 'add', section, type, anonymous: name === undefined });
    for (const [option, value] of values) {
      if (value.length > 0) this.#stage(session, { kind: 'set', section, option, value });
    }
    return [ubusStatus.ok, { section }];
  }

  async #delete(call: Call): Promise<UbusAnswer> {
    const session = this.#mustWrite(call);
    const { args } = call;
    const option = text(args['option']);
    const options = option !== undefined ? [option] : args['options'];
    for (const section of await this.#targets(session, args)) {
      if (options === undefined) this.#stage(session, { kind: 'remove', section: section.name });
      else if (!Array.isArray(options)) return [ubusStatus.invalidArgument];
      else {
        for (const each of options) {
          if (typeof each !== 'string') return [ubusStatus.invalidArgument];
          if (section.options.has(each)) this.#stage(session, { kind: 'remove', section: section.name, option: each });
        }
      }
    }
    return done;
  }

  async #rename(call: Call): Promise<UbusAnswer> {
    const session = this.#mustWrite(call);
    const [section, option, name] = [call.args['section'], call.args['option'], call.args['name']].map(text);
    if (section === undefined || name === undefined) return [ubusStatus.invalidArgument];
    const uci = await this.#load(session);
    const found = uci.section(section);
    if (found === undefined || (option !== undefined && !found.options.has(option))) return [ubusStatus.notFound];
    if (option === undefined) uci.rename(section, name);
    else found.set(name, found.options.get(option)?.value ?? '');
    this.#stage(session, { kind: 'rename', section: found.name, name, ...(option !== undefined && { option }) });
    return done;
  }

  async #order(call: Call): Promise<UbusAnswer> {
    const session = this.#mustWrite(call);
    const { sections } = call.args;
    if (!Array.isArray(sections)) return [ubusStatus.invalidArgument];
    const uci = await this.#load(session);
    let position = 0;
    for (const name of sections) {
      if (typeof name !== 'string') return [ubusStatus.invalidArgument];
      const at = uci.sections.findIndex((section) => section.name === name);
      if (at === -1) continue;
      if (at !== position) {
        uci.reorder(name, position);
        this.#stage(session, { kind: 'order', section: name, position });
      }
      position++;
    }
    return done;
  }

  async #changes(call: Call): Promise<UbusAnswer> {
    const { args, session } = call;
    if (session === undefined) return [ubusStatus.permissionDenied];
    const changes = session.changes.toJson();
    if (args['config'] === undefined)
      return [ubusStatus.ok, { changes: changes.length === 0 ? {} : { [PACKAGE]: changes } }];
    this.#may(call, 'read');
    return [ubusStatus.ok, { changes }];
  }

  async #apply({ args, session }: Call): Promise<UbusAnswer> {
    if (session === undefined || !session.rights.mayTouch(PACKAGE, 'write')) return [ubusStatus.permissionDenied];
    if (this.#pending !== undefined) return [ubusStatus.permissionDenied];
    if (session.changes.size === 0) return [ubusStatus.noData];
    const { directory, reload, clock, log } = this.#options;
    const before = await readFile(join(directory, PACKAGE));
    await this.#commit(session);
    if (args['rollback'] === true) {
      const seconds = typeof args['timeout'] === 'number' ? args['timeout'] : CONFIRM_TIMEOUT;
      const wait = Math.min(Math.max(1, seconds), MAX_CONFIRM_TIMEOUT) * 1000;
      const restore = () => void this.#exclusive(() => this.#restore('nobody confirmed the change'));
      this.#pending = { session: session.id, before, cancel: clock.after(wait, restore) };
    }
    log.info(`${session.username} changed the config`);
    await reload();
    return done;
  }

  #confirm({ session }: Call): UbusAnswer {
    if (session === undefined) return [ubusStatus.permissionDenied];
    if (this.#pending === undefined) return [ubusStatus.noData];
    if (this.#pending.session !== session.id) return [ubusStatus.permissionDenied];
    this.#pending.cancel();
    this.#pending = undefined;
    return done;
  }

  async #rollBack({ session }: Call): Promise<UbusAnswer> {
    if (session === undefined) return [ubusStatus.permissionDenied];
    if (this.#pending === undefined) return [ubusStatus.noData];
    if (this.#pending.session !== session.id) return [ubusStatus.permissionDenied];
    await this.#restore(`${session.username} took the change back`);
    return done;
  }

  async #restore(why: string): Promise<void> {
    const pending = this.#pending;
    if (pending === undefined) return;
    const { directory, reload, log } = this.#options;
    this.#pending = undefined;
    pending.cancel();
    try {
      await replaceConfigFile(directory, PACKAGE, pending.before);
      log.warning(`${why}: the config is as it was before`);
      await reload();
    } catch (error) {
      log.error(`${why}, and the config from before could not be written: ${describeError(error)}`);
    }
  }

  /** Writes the session's changes over the file as it is now. */
  async #commit(session: Session): Promise<void> {
    await commitPackage(this.#options.directory, await this.#load(session));
    session.changes.clear();
  }

  /** The package with the session's own changes. */
  async #load(session: Session): Promise<UciPackage> {
    const uci = await loadPackage(this.#options.directory, PACKAGE);
    if (uci === undefined) throw new Refused(ubusStatus.notFound);
    session.changes.applyTo(uci);
    return uci;
  }

  async #targets(session: Session, args: JsonObject): Promise<readonly UciSection[]> {
    const uci = await this.#load(session);
    const name = text(args['section']);
    if (name === undefined) {
      // As rpcd: not everything by an oversight.
      if (args['type'] === undefined && args['match'] === undefined) throw new Refused(ubusStatus.invalidArgument);
      return matching(uci, args);
    }
    const section = uci.section(name);
    if (section === undefined) throw new Refused(ubusStatus.notFound);
    return [section];
  }

  #stage(session: Session, change: Change): void {
    if (!session.changes.add(change)) throw new Refused(ubusStatus.invalidArgument);
  }

  #mustWrite(call: Call): Session {
    return this.#may(call, 'write');
  }

  /** The session, when it has this right on the config that the call names. */
  #may({ args, session }: Call, permission: Permission): Session {
    const config = text(args['config']);
    if (config === undefined) throw new Refused(ubusStatus.invalidArgument);
    if (session === undefined || !session.rights.mayTouch(config, permission)) {
      throw new Refused(ubusStatus.permissionDenied);
    }
    if (config !== PACKAGE) throw new Refused(ubusStatus.notFound);
    return session;
  }
}

/** Section as rpcd shows it, its values without secrets if asked to. */
function sectionValues(uci: UciPackage, section: UciSection, withoutSecrets: boolean): JsonObject {
  const secret = withoutSecrets ? secretsOf(section) : undefined;
  const options = [...section.options].filter(([name, { value }]) => secret === undefined || !secret(name, value));
  return {
    '.anonymous': section.anonymous,
    '.type': section.type,
    '.name': section.name,
    '.index': uci.sections.indexOf(section),
    ...Object.fromEntries(options.map(([name, { value }]) => [name, value])),
  };
}

/** Which options of a section are secret. In a section that no schema knows, all are. */
function secretsOf({ name, type }: UciSection): (option: string, value: UciValue) => boolean {
  const schema =
    singleNames.map((key): SectionSchema => singleSections[key]).find((each) => each.name === name) ??
    repeatedNames.map((key): SectionSchema => repeatedSections[key]).find((each) => each.name === type);
  return (option, value) => (schema === undefined ? true : (isSecret(schema, option, value) ?? true));
}

function matching(uci: UciPackage, args: JsonObject): readonly UciSection[] {
  const type = text(args['type']);
  const match = isJsonObject(args['match']) ? Object.entries(args['match']) : [];
  return uci.sections.filter(
    (section) =>
      (type === undefined || section.type === type) &&
      match.every(([option, value]) => sameValue(section.options.get(option)?.value, uciValue(value))),
  );
}

/** Throws Refused for what is no table of values. */
function optionValues(values: Json | undefined): readonly (readonly [string, UciValue])[] {
  if (!isJsonObject(values)) throw new Refused(ubusStatus.invalidArgument);
  return Object.entries(values).map(([option, value]) => [option, uciValue(value)] as const);
}

/** As rpcd writes JSON values to uci. */
function uciValue(value: Json | undefined): UciValue {
  if (Array.isArray(value)) return value.map(scalarOf);
  return scalarOf(value ?? '');
}

function scalarOf(value: Json): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (typeof value === 'number') return String(value);
  throw new Refused(ubusStatus.invalidArgument);
}

/** Absent and empty are the same. */
function sameValue(a: UciValue | undefined, b: UciValue): boolean {
  const old = a ?? '';
  if (typeof old === 'string' || typeof b === 'string') return old.length === 0 ? b.length === 0 : old === b;
  return old.length === b.length && old.every((element, i) => element === b[i]);
}
