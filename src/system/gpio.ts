import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Router } from './router.ts';
import { RouterError } from './router.ts';
import { readSmallFile } from './small-file.ts';

/** An input or output of the board. */
export interface Line {
  readonly name: string;
  readonly output: boolean;
  readonly on: boolean;
  /** Throws RouterError when the kernel or ioman refuses. */
  switch(on: boolean): Promise<void>;
}

/** Sysfs, as OpenWrt's gpio-export fills it. */
const FOLDER = '/sys/class/gpio';

/** The lines of the board: those that RutOS's ioman has on ubus, else those that the kernel exports. */
export async function boardLines(root: string, router: Router): Promise<readonly Line[]> {
  const objects = [...(await router.objects('ioman.gpio.*')), ...(await router.objects('ioman.relay.*'))];
  return objects.length > 0
    ? Promise.all(objects.map((object) => iomanLine(object, router)))
    : sysfsLines(join(root, FOLDER));
}

async function iomanLine(object: string, router: Router): Promise<Line> {
  const status = await router.call(object, 'status');
  const relay = object.startsWith('ioman.relay.');
  return {
    name: object.slice(object.lastIndexOf('.') + 1),
    output: relay || status['direction'] === 'out',
    on: relay ? status['state'] === 'closed' : String(status['value']) === '1',
    async switch(on) {
      await router.call(object, 'update', relay ? { state: on ? 'closed' : 'open' } : { value: on ? '1' : '0' });
    },
  };
}

async function sysfsLines(folder: string): Promise<readonly Line[]> {
  const names = await readdir(folder).catch(() => []);
  const lines = await Promise.all(names.filter((name) => !name.startsWith('gpiochip')).map(sysfsLine(folder)));
  return lines.filter((line) => line !== undefined).sort((a, b) => (a.name < b.name ? -1 : 1));
}

const sysfsLine =
  (folder: string) =>
  async (name: string): Promise<Line | undefined> => {
    const path = join(folder, name, 'value');
    const [value, direction] = await Promise.all([readSmallFile(path), readSmallFile(join(folder, name, 'direction'))]);
    if (value === undefined) return undefined;
    return {
      name,
      // gpio-export fixes the direction of some lines; then there is no such file, and only writing shows it.
      output: direction !== 'in',
      on: value !== '0',
      async switch(on) {
        try {
          const file = await open(path, 'r+');
          await file.write(on ? '1' : '0', 0).finally(() => file.close());
        } catch (error) {
          throw new RouterError(`${name}: ${error instanceof Error ? error.message : error}`);
        }
      },
    };
  };
