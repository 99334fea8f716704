import { parameters, valueGroups } from './at/answer.ts';
import type { CommandLine } from './at/line.ts';
import { busyness, isRefusal, optional, query } from './at/line.ts';

export interface StorageUse {
  readonly name: string;
  readonly used: number;
  readonly total: number;
}

/** A listing of 255 messages takes 8 s at 115,200 bit/s; slow SIMs take as long again. */
const LIST_TIMEOUT = 30_000;
const DELETE_TIMEOUT = 15_000;
/** Places that are looked into where a modem does not list them. */
const MAX_PLACES = 1_000;
/** Cause of +CMS ERROR (TS 27.005 3.2.5). */
const INVALID_INDEX = 321;

/** Memories that received messages and reports may lie in. MT is SM and ME together, so it is looked into in their place only. */
const received = ['SM', 'ME', 'SR'];

/** The message memories of the modem (TS 27.005 3.2.2, 3.4, 3.5). Runs within transactions; knows which one is selected. */
export class MessageStorage {
  #selected: string | undefined;
  #memories: readonly string[] = [];
  #receiving: string | undefined;
  /** The modem does not list its messages: it is read place by place. */
  #unlisted = false;

  /** The memory that new messages are stored in, where the modem says so. */
  get receiving(): string | undefined {
    return this.#receiving;
  }

  /** Memories that are worth looking into. */
  get memories(): readonly string[] {
    return this.#memories;
  }

  /** Whether the modem gives all messages of a memory in one answer, as far as is known. */
  get lists(): boolean {
    return !this.#unlisted;
  }

  /** Finds the memories and has new messages stored in `wanted`, or where the modem stores them now. */
  async prepare(line: CommandLine, wanted: 'auto' | 'SM' | 'ME' | 'MT'): Promise<void> {
    const test = (await query(line, 'AT+CPMS=?')) ?? '';
    // All groups, not the first alone: some modems leave out the brackets.
    const readable = valueGroups(test).flat();
    if (wanted !== 'auto')
      await optional(line, `AT+CPMS="${wanted}","${wanted}","${wanted}"`, { timeout: LIST_TIMEOUT });
    const current = (await query(line, 'AT+CPMS?')) ?? '';
    const values = parameters(current).filter((value) => /^[A-Z]{2}$/.test(value));
    this.#selected = values[0];
    this.#receiving = values[2] ?? values[0];
    const known = [values[0], values[2], ...received.filter((memory) => readable.includes(memory))];
    const single = known.filter((memory) => memory !== undefined).filter((memory) => memory !== 'MT');
    this.#memories = single.length > 0 ? [...new Set(single)] : [...values, ...readable].includes('MT') ? ['MT'] : [];
  }

  /** A memory that the modem named in +CMTI or +CDSI is worth looking into from then on. */
  include(memory: string): void {
    if (memory === 'MT' && this.#memories.length > 0) return;
    if (!this.#memories.includes(memory)) this.#memories = [...this.#memories, memory];
  }

  /** Everything that lies in `memory`, and how full it is. */
  async list(
    line: CommandLine,
    memory: string,
  ): Promise<{ entries: readonly ListedPdu[]; use: StorageUse | undefined }> {
    const use = await this.#select(line, memory);
    if (!this.#unlisted) {
      try {
        // 4: all messages (TS 27.005 3.4.2), those already read included.
        const lines = await line.command('AT+CMGL=4', { timeout: LIST_TIMEOUT });
        const entries = parseListing(lines);
        // A listing of which no entry can be read counts as an empty one.
        if (entries.length > 0 || use === undefined || use.used === 0) return { entries, use };
      } catch (error) {
        if (!isRefusal(error) || error.kind === 'timeout' || busyness(error) === 'busy' || use === undefined)
          throw error;
        // Busy or unable: a modem that cannot list may still read.
        this.#unlisted = busyness(error) === undefined;
      }
    }
    return { entries: use === undefined ? [] : await this.#readPlaces(line, use), use };
  }

  /** What a modem holds that does not list it, within what +CPMS says. Places count from 0 or from 1. */
  async #readPlaces(line: CommandLine, { used, total }: StorageUse): Promise<readonly ListedPdu[]> {
    const found: ListedPdu[] = [];
    for (let index = 0; index <= Math.min(total, MAX_PLACES) && found.length < used; index++) {
      let message: StoredPdu | undefined;
      try {
        message = parseRead(await line.command(`AT+CMGR=${index}`));
      } catch (error) {
        // An empty place. A SIM that is busy now is so for the next place as well.
        if (!isRefusal(error) || error.kind === 'timeout' || busyness(error) === 'busy') throw error;
      }
      if (message !== undefined) found.push({ ...message, index });
    }
    return found;
  }

  /** One message; undefined when the place is empty or does not exist. Throws AtError when the line is lost. */
  async read(line: CommandLine, memory: string, index: number): Promise<StoredPdu | undefined> {
    try {
      if (memory !== this.#selected) await this.#select(line, memory);
      return parseRead(await line.command(`AT+CMGR=${index}`));
    } catch (error) {
      if (isRefusal(error)) return undefined;
      throw error;
    }
  }

  /** False when the modem refuses; +CMS ERROR 321, no such message, is as good as done. Throws AtError as `read`. */
  async remove(line: CommandLine, memory: string, index: number): Promise<boolean> {
    try {
      if (memory !== this.#selected) await this.#select(line, memory);
      await line.command(`AT+CMGD=${index}`, { timeout: DELETE_TIMEOUT });
    } catch (error) {
      if (!isRefusal(error)) throw error;
      return error.kind === 'cms' && error.causeCode === INVALID_INDEX;
    }
    return true;
  }

  /** Makes `memory` the one that reading and deleting work on, and says how full it is. Throws AtError. */
  async #select(line: CommandLine, memory: string): Promise<StorageUse | undefined> {
    this.#selected = undefined;
    const answer = await line.command(`AT+CPMS="${memory}"`, { timeout: LIST_TIMEOUT });
    this.#selected = memory;
    const [used, total] = parameters(answer.find((text) => text.startsWith('+CPMS:')) ?? '').map(Number);
    if (used === undefined || total === undefined || !Number.isInteger(used) || !Number.isInteger(total))
      return undefined;
    return { name: memory, used, total };
  }
}

/** A message as it lies in a storage of the modem. */
export interface StoredPdu {
  /** <stat>: 0 received unread, 1 received read, 2 stored unsent, 3 stored sent (TS 27.005 3.1). */
  readonly stat: number;
  /** With the SMSC field. */
  readonly pdu: Uint8Array;
  /** The PDU has as many octets as the modem announced. */
  readonly whole: boolean;
}

export interface ListedPdu extends StoredPdu {
  readonly index: number;
}

/** The entries of a +CMGL answer. `+CMGL: 17,3,35` without the alpha field occurs; entries without a PDU are left out. */
export function parseListing(lines: readonly string[]): readonly ListedPdu[] {
  return lines.flatMap((line, at) => {
    if (!line.startsWith('+CMGL:')) return [];
    const values = parameters(line);
    const index = count(values[0]);
    const stored = storedPdu(values[1], values.at(-1), lines[at + 1]);
    return index === undefined || stored === undefined ? [] : [{ index, ...stored }];
  });
}

/** The message of a +CMGR answer, `+CMGR: 0,"",50`; undefined when the place is empty. */
export function parseRead(lines: readonly string[]): StoredPdu | undefined {
  const at = lines.findIndex((line) => line.startsWith('+CMGR:'));
  const values = parameters(lines[at] ?? '');
  return storedPdu(values[0], values.at(-1), lines[at + 1]);
}

function storedPdu(statText?: string, lengthText?: string, hex = ''): StoredPdu | undefined {
  const stat = count(statText);
  const length = count(lengthText);
  if (stat === undefined || length === undefined) return undefined;
  // Ends where the digits do; the last entry of a listing may be cut off in mid-octet.
  const pdu = Buffer.from(hex, 'hex');
  if (pdu.length === 0 || pdu.length !== hex.length >> 1) return undefined;
  // <length> does not count the SMSC field, whose first octet is its own length (TS 27.005 3.1).
  return { stat, pdu, whole: pdu.length >= 1 + (pdu[0] ?? 0) + length };
}

function count(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,5}$/.test(text) ? Number(text) : undefined;
}
