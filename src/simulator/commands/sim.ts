import { type CommandFamily, type Lines, ok } from '../at/command.ts';
import { badArgument, cme } from '../at/failure.ts';
import type { ModemCore } from '../core.ts';

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
