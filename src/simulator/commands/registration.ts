import { type AtCommand, type CommandFamily, ok } from '../at/command.ts';
import { encodeText } from '../charset.ts';
import type { ModemCore } from '../core.ts';
import { registrationCodes } from '../radio.ts';

/** Location area, cell, and E-UTRAN as the access technology. */
const CELL = ['01A2', '00B3C1', '7'] as const;

/** What follows the reporting mode: the state, and in mode 2 the cell. */
export function registrationText({ radio, quirks }: ModemCore, mode: number): string {
  const state = String(registrationCodes[radio.state]);
  if (mode < 2 || !radio.registered) return state;
  const [area, cell, technology] = CELL;
  if (quirks.unquotedCells) return `${state}, ${area}, ${cell}`;
  return `${state},"${area}","${cell}",${technology}`;
}

const registration = (name: string): AtCommand => ({
  errors: 'cme',
  test: () => [`${name}: (0-2)`],
  read: (modem) => {
    const mode = modem.settings.registrationReports.get(name) ?? 0;
    return [`${name}: ${mode},${modem.quirks.unquotedCells ? ' ' : ''}${registrationText(modem, mode)}`];
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
