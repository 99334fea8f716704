import type { AtCommand } from '../at/command.ts';
import { basicCommands } from './basic.ts';
import { generalCommands } from './general.ts';
import { identityCommands } from './identity.ts';
import { indicationCommands } from './indications.ts';
import { messageSettingCommands } from './message-settings.ts';
import { messageStorageCommands } from './message-storage.ts';
import { registrationCommands } from './registration.ts';
import { sendingCommands } from './sending.ts';
import { simCommands } from './sim.ts';
import { ussdCommands } from './ussd.ts';

/** Every command that the modem knows, by its name in capitals. */
export const commandTable: ReadonlyMap<string, AtCommand> = new Map(
  [
    basicCommands,
    generalCommands,
    identityCommands,
    simCommands,
    registrationCommands,
    messageSettingCommands,
    messageStorageCommands,
    sendingCommands,
    indicationCommands,
    ussdCommands,
  ].flatMap((family) => Object.entries(family)),
);
