import { type CommandFamily, ok } from '../at/command.ts';
import { cme } from '../at/failure.ts';

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
