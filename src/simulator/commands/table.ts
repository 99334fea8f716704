import type { AtCommand } from '../at/command.ts';
import { basicCommands, generalCommands, identityCommands } from './general.ts';
import { indicationCommands, messageSettingCommands } from './message-settings.ts';
import { messageStorageCommands } from './message-storage.ts';
import { sendingCommands } from './sending.ts';
import { registrationCommands, simCommands, ussdCommands } from './sim-and-network.ts';

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
