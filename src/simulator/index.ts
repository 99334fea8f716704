export type { Fault, FaultType } from './faults.ts';
export { Faults, faultTable, parseFault } from './faults.ts';
export type { IncomingMessage, NetworkCounters, SentMessage, SentPart } from './messages.ts';
export { friendlyAnswer } from './network.ts';
export type { Deviations, Latency, MemorySizes, SimulatorOptions } from './options.ts';
export type { RegistrationState } from './radio.ts';
export { SimulatedModem } from './simulated-modem.ts';
