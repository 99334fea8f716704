import { type CommandFamily, ok } from '../at/command.ts';
import { badArgument } from '../at/failure.ts';
import type { CharacterSet } from '../settings.ts';

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
