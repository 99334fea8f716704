export type { Fault, FaultType } from './fault-table.ts';
export { faultTable, parseFault } from './fault-table.ts';
export { Faults } from './faults.ts';
export type { IncomingMessage, NetworkCounters, SentMessage, SentPart } from './messages.ts';
export type { Latency, MemorySizes, SimulatorOptions } from './options.ts';
export type { Quirks } from './quirks.ts';
export type { RegistrationState } from './radio.ts';
export { SimulatedModem } from './simulated-modem.ts';
export { friendlyAnswer } from './subscriber.ts';
