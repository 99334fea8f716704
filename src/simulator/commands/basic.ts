import type { Arguments } from '../at/arguments.ts';
import type { AtCommand, CommandFamily } from '../at/command.ts';
import { ok } from '../at/command.ts';
import { AtFailure } from '../at/failure.ts';
import type { ModemCore } from '../core.ts';
import { freshSettings } from '../settings.ts';

/** ATZ and AT&F: the settings of a fresh start. */
const restore: AtCommand = {
  errors: 'plain',
  execute: (modem) => {
    modem.settings = freshSettings();
    return ok;
  },
  set: (modem, args) => {
    args.integer(0, 0, 0);
    modem.settings = freshSettings();
    return ok;
  },
};

/** A switch of V.250: `ATE0`, `ATE1`; without a number it is 0. */
const onOff = (apply: (modem: ModemCore, on: boolean) => void): AtCommand => {
  const set = (modem: ModemCore, args?: Arguments) => {
    apply(modem, args?.integer(0, 0, 1) === 1);
    return ok;
  };
  return { errors: 'plain', execute: (modem) => set(modem), set };
};

/** Accepted, and of no effect on a line that never carries a call. */
const accepted: AtCommand = { errors: 'plain', execute: () => ok, set: () => ok };

/** S-registers hold their number and do nothing more. */
const register = (number: number): AtCommand => ({
  errors: 'plain',
  read: ({ settings }) => [String(settings.registers.get(number) ?? 0).padStart(3, '0')],
  set: ({ settings }, args) => {
    settings.registers.set(number, args.integer(0, 0, 255));
    return ok;
  },
});

const registers = [0, 3, 4, 5, 6, 7, 8, 10, 12].map((number) => [`S${number}`, register(number)] as const);

/** V.250. */
export const basicCommands: CommandFamily = {
  Z: restore,
  '&F': restore,
  E: onOff((modem, on) => {
    modem.settings.echo = on;
  }),
  V: onOff((modem, on) => {
    modem.settings.verbose = on;
  }),
  Q: onOff((modem, on) => {
    modem.settings.quiet = on;
  }),
  X: accepted,
  H: accepted,
  L: accepted,
  M: accepted,
  '&C': accepted,
  '&D': accepted,
  '&K': accepted,
  '&S': accepted,
  '&W': accepted,
  D: {
    errors: 'plain',
    set: () => {
      throw new AtFailure('no carrier');
    },
  },
  ...Object.fromEntries(registers),
};
