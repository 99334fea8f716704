export type { Fault, FaultType } from './faults.ts';
export { Faults, faultTable } from './faults.ts';
export type { IncomingMessage, NetworkCounters, SentMessage, SentPart } from './messages.ts';
export type { Latency, MemorySizes, SimulatorOptions } from './options.ts';
export type { Quirks } from './quirks.ts';
export type { RegistrationState } from './simulated-modem.ts';
export { SimulatedModem } from './simulated-modem.ts';
