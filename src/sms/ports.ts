import type { InformationElement } from './information-element.ts';
import type { UserData } from './user-data.ts';

/** Application port addressing, TS 23.040 9.2.3.24.3 (8-bit) and 9.2.3.24.4 (16-bit). */
export interface Ports {
  readonly bits: 8 | 16;
  readonly destination: number;
  readonly source: number;
}

const PORTS_8 = 0x04;
const PORTS_16 = 0x05;

/** Of several port elements the last counts (TS 23.040 9.2.3.24). */
export function portsOf({ elements }: Pick<UserData, 'elements'>): Ports | undefined {
  for (let at = elements.length - 1; at >= 0; at--) {
    const element = elements[at];
    const ports = element && readPorts(element);
    if (ports) return ports;
  }
  return undefined;
}

function readPorts({ id, data }: InformationElement): Ports | undefined {
  const [a = 0, b = 0, c = 0, d = 0] = data;
  if (id === PORTS_8 && data.length === 2) return { bits: 8, destination: a, source: b };
  if (id === PORTS_16 && data.length === 4) return { bits: 16, destination: (a << 8) | b, source: (c << 8) | d };
  return undefined;
}

export function portsElement({ bits, destination, source }: Ports): InformationElement {
  return bits === 8
    ? { id: PORTS_8, data: Uint8Array.of(destination, source) }
    : { id: PORTS_16, data: Uint8Array.of(destination >> 8, destination, source >> 8, source) };
}
