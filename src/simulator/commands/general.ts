import type { Arguments } from '../at/command.ts';
import { type AtCommand, type CommandFamily, ok } from '../at/command.ts';
import { AtFailure, badArgument } from '../at/failure.ts';
import type { ModemCore } from '../core.ts';
import { type CharacterSet, freshSettings } from '../settings.ts';
import { encodeText, numberType } from '../text-mode.ts';

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

const charsets: readonly CharacterSet[] = ['GSM', 'IRA', 'UCS2'];

/** Errors, character set and power: TS 27.007 5.5, 8.2, 9.1. */
export const generalCommands: CommandFamily = {
  '+CMEE': {
    errors: 'cme',
    test: () => ['+CMEE: (0-2)'],
    read: ({ settings }) => [`+CMEE: ${settings.errorLevel}`],
    set: ({ settings }, args) => {
      settings.errorLevel = args.atMost(1).integer(0, 0, 2, 0);
      return ok;
    },
  },
  '+CSCS': {
    errors: 'cme',
    test: () => ['+CSCS: ("GSM","IRA","UCS2")'],
    read: ({ settings }) => [`+CSCS: "${settings.charset}"`],
    set: ({ settings }, args) => {
      const name = args.atMost(1).string(0).toUpperCase();
      const charset = charsets.find((known) => known === name);
      if (charset === undefined) throw badArgument();
      settings.charset = charset;
      return ok;
    },
  },
  '+CFUN': {
    errors: 'cme',
    test: () => ['+CFUN: (0,1,4),(0,1)'],
    read: ({ radio }) => [`+CFUN: ${radio.functionality}`],
    set: (modem, args) => {
      const level = args.atMost(2).integer(0, 0, 4);
      if (level !== 0 && level !== 1 && level !== 4) throw badArgument();
      const reset = args.integer(1, 0, 1, 0) === 1;
      if (level !== 1) modem.simFailed = undefined;
      // The OK comes first.
      if (reset) modem.timers.after(0, () => modem.reboot(modem.latency.boot));
      else modem.radio.setFunctionality(level);
      return ok;
    },
  },
  '+CPAS': { errors: 'cme', execute: () => ['+CPAS: 0'] },
  '+CCLK': {
    errors: 'cme',
    read: ({ clock }) => {
      const [date = '', time = ''] = new Date(clock.now()).toISOString().slice(2, 19).split('T');
      return [`+CCLK: "${date.replaceAll('-', '/')},${time}+00"`];
    },
  },
  '+CLIP': {
    errors: 'cme',
    test: () => ['+CLIP: (0,1)'],
    read: ({ settings }) => [`+CLIP: ${settings.callerId},1`],
    set: ({ settings }, args) => {
      settings.callerId = args.atMost(1).integer(0, 0, 1);
      return ok;
    },
  },
};

const MANUFACTURER = 'SIMULATED';
const MODEL = 'SM-27005';
const REVISION = 'SM27005R01A01';

const fixed = (line: string): AtCommand => ({ errors: 'cme', execute: () => [line] });

/** TS 27.007 5. */
export const identityCommands: CommandFamily = {
  I: { errors: 'plain', execute: () => [MANUFACTURER, MODEL, `Revision: ${REVISION}`] },
  '+GMI': fixed(MANUFACTURER),
  '+GMM': fixed(MODEL),
  '+GMR': fixed(REVISION),
  '+GCAP': fixed('+GCAP: +CGSM'),
  '+CGMI': fixed(MANUFACTURER),
  '+CGMM': fixed(MODEL),
  '+CGMR': fixed(REVISION),
  '+GSN': { errors: 'cme', execute: ({ imei }) => [imei] },
  '+CGSN': { errors: 'cme', execute: ({ imei }) => [imei] },
  '+CIMI': { errors: 'cme', sim: true, execute: ({ sim }) => [sim.imsi] },
  '+CCID': { errors: 'cme', sim: true, execute: ({ sim }) => [`+CCID: ${sim.iccid}`] },
  '+CNUM': {
    errors: 'cme',
    sim: true,
    execute: ({ sim, settings: { charset } }) => {
      const [name, number] = [encodeText(charset, 'Own'), encodeText(charset, sim.number)];
      return [`+CNUM: "${name}","${number}",${numberType(sim.number)}`];
    },
  },
};
