import { type AtCommand, type CommandFamily, type Lines, ok } from '../at/command.ts';
import { badArgument, cme } from '../at/failure.ts';
import type { ModemCore } from '../core.ts';
import { registrationText } from '../radio.ts';
import { encodeText } from '../text-mode.ts';

const INCORRECT_PASSWORD = 16;
const PUK_REQUIRED = 12;
const NOT_ALLOWED = 3;

/** The answer to a PIN or PUK: the SIM becomes usable, or an error that says what is wanted now. */
function unlocked(modem: ModemCore, right: boolean): Lines {
  if (!right) throw cme(modem.sim.state === 'SIM PUK' ? PUK_REQUIRED : INCORRECT_PASSWORD);
  if (!modem.radio.registered) modem.radio.search();
  return ok;
}

/** The SIM's locks: TS 27.007 7.4, 7.5, 8.3. */
export const simCommands: CommandFamily = {
  '+CPIN': {
    errors: 'cme',
    test: () => [],
    read: ({ sim, simFailed }) => {
      if (simFailed !== undefined) throw cme(simFailed);
      if (sim.state === 'absent') throw cme(10);
      if (sim.state === 'blocked') throw cme(13);
      return [`+CPIN: ${sim.state}`];
    },
    set: (modem, args) => {
      const { sim } = modem;
      if (sim.state === 'absent') throw cme(10);
      if (sim.state === 'SIM PIN' && args.length === 1) return unlocked(modem, sim.verify(args.word(0)));
      if (sim.state === 'SIM PUK' && args.length === 2) {
        return unlocked(modem, sim.unblock(args.word(0), args.word(1)));
      }
      throw cme(NOT_ALLOWED);
    },
  },
  '+CPINR': {
    errors: 'cme',
    execute: ({ sim }) => [`+CPINR: SIM PIN,${sim.tries.pin},3`, `+CPINR: SIM PUK,${sim.tries.puk},10`],
  },
  '+CLCK': {
    errors: 'cme',
    test: () => ['+CLCK: ("SC")'],
    set: (modem, args) => {
      if (args.string(0).toUpperCase() !== 'SC') throw badArgument();
      const mode = args.integer(1, 0, 2);
      if (mode === 2) return [`+CLCK: ${modem.sim.pinEnabled ? 1 : 0}`];
      return unlocked(modem, modem.sim.lock(mode === 1, args.word(2)));
    },
  },
  '+CPWD': {
    errors: 'cme',
    sim: true,
    test: () => ['+CPWD: ("SC",8)'],
    set: ({ sim }, args) => {
      if (args.string(0).toUpperCase() !== 'SC') throw badArgument();
      if (!sim.changePin(args.word(1), args.word(2))) throw cme(INCORRECT_PASSWORD);
      return ok;
    },
  },
};

const registration = (name: string): AtCommand => ({
  errors: 'cme',
  test: () => [`${name}: (0-2)`],
  read: (modem) => {
    const mode = modem.settings.registrationReports.get(name) ?? 0;
    return [`${name}: ${mode},${modem.deviations.unquotedCells ? ' ' : ''}${registrationText(modem, mode)}`];
  },
  set: ({ settings }, args) => {
    settings.registrationReports.set(name, args.atMost(1).integer(0, 0, 2, 0));
    return ok;
  },
});

/** Network and signal: TS 27.007 7.2, 7.3, 8.5. */
export const registrationCommands: CommandFamily = {
  '+CREG': registration('+CREG'),
  '+CGREG': registration('+CGREG'),
  '+CEREG': registration('+CEREG'),
  '+COPS': {
    errors: 'cme',
    sim: true,
    test: ({ network }) => [`+COPS: (2,"${network.operator}","${network.operator}","00101",7),,(0-4),(0-2)`],
    read: ({ radio, network, settings }) => {
      const format = settings.operatorFormat;
      const name = format === 2 ? '00101' : encodeText(settings.charset, network.operator);
      return [radio.registered ? `+COPS: 0,${format},"${name}",7` : '+COPS: 0'];
    },
    set: ({ settings }, args) => {
      args.integer(0, 0, 4);
      settings.operatorFormat = args.integer(1, 0, 2, settings.operatorFormat);
      return ok;
    },
  },
  '+CGATT': {
    errors: 'cme',
    sim: true,
    test: () => ['+CGATT: (0,1)'],
    read: ({ radio }) => [`+CGATT: ${radio.registered ? 1 : 0}`],
    set: (_modem, args) => {
      args.atMost(1).integer(0, 0, 1);
      return ok;
    },
  },
  '+CSQ': {
    errors: 'cme',
    test: () => ['+CSQ: (0-31,99),(0-7,99)'],
    execute: ({ radio }) => [`+CSQ: ${radio.registered ? radio.signal : 99},99`],
  },
};

const NO_NETWORK = 30;

/** TS 27.007 7.15. */
export const ussdCommands: CommandFamily = {
  '+CUSD': {
    errors: 'cme',
    sim: true,
    test: () => ['+CUSD: (0-2)'],
    read: ({ settings }) => [`+CUSD: ${settings.ussdReports}`],
    set: (modem, args) => {
      const mode = args.atMost(3).integer(0, 0, 2);
      if (mode === 2) modem.ussd.reset();
      else modem.settings.ussdReports = mode;
      if (args.length < 2) return ok;
      args.integer(2, 0, 255, 15);
      if (!modem.radio.registered) throw cme(NO_NETWORK);
      modem.ussd.request(args.string(1));
      return ok;
    },
  },
};
