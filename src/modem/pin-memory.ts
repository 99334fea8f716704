import { createHmac, randomBytes } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Remembers which PIN was tried on which modem, so that a wrong one is never tried twice. */
export interface PinMemory {
  /** Whether this PIN was tried on this modem and not accepted. */
  tried(modem: string, pin: string): Promise<boolean>;
  /** Notes a try, before it is made; resolves when the note is durable. */
  note(modem: string, pin: string): Promise<void>;
  /** The PIN was accepted. */
  clear(modem: string): Promise<void>;
}

/** For as long as the process runs. */
export function processPinMemory(): PinMemory {
  const pins = new Map<string, string>();
  return {
    tried: async (modem, pin) => pins.get(modem) === pin,
    note: async (modem, pin) => void pins.set(modem, pin),
    clear: async (modem) => void pins.delete(modem),
  };
}

/**
 * In a directory, over restarts: a service that restarts with a wrong PIN must not use up the three tries of the SIM.
 * The file of a modem holds a keyed hash; as a PIN has few digits this hides it from a glance only, hence mode 0600.
 * `note` and `clear` reject when the directory cannot be written.
 */
export function filePinMemory(directory: string): PinMemory {
  const path = (modem: string) => join(directory, `pin_tried.${encodeURIComponent(modem)}`);
  return {
    async tried(modem, pin) {
      const [salt, hash] = (await readFile(path(modem), 'utf8').catch(() => '')).trim().split(' ');
      return salt !== undefined && hash === keyedHash(salt, pin);
    },
    async note(modem, pin) {
      const salt = randomBytes(16).toString('hex');
      const temporary = `${path(modem)}.new`;
      const file = await open(temporary, 'w', 0o600);
      try {
        await file.writeFile(`${salt} ${keyedHash(salt, pin)}\n`);
        await file.datasync();
      } finally {
        await file.close();
      }
      await rename(temporary, path(modem));
    },
    clear: (modem) => rm(path(modem), { force: true }),
  };
}

function keyedHash(salt: string, pin: string): string {
  return createHmac('sha256', salt).update(pin).digest('hex');
}
