import type { Address } from '../address.ts';
import type { TimeStamp } from '../time-stamp.ts';
import type { UserData } from '../user-data.ts';
import type { Validity } from '../validity.ts';

/** Whether a TPDU goes from the service centre to the mobile or from the mobile to the service centre. */
export type Direction = 'to-mobile' | 'to-network';

/** TS 23.040 9.2.2.1: a short message from the network. */
export interface Deliver {
  readonly type: 'deliver';
  readonly from: Address;
  readonly pid: number;
  readonly dcs: number;
  /** When the service centre took the message (TP-SCTS). Undefined only where lenient reading found no time. */
  readonly time: TimeStamp | undefined;
  readonly userData: UserData;
  readonly moreMessages: boolean;
  readonly loopPrevention: boolean;
  /** The sender gets a status report (TP-SRI). */
  readonly statusReportIndication: boolean;
  readonly replyPath: boolean;
}

/** TS 23.040 9.2.2.2: a short message to the network. */
export interface Submit {
  readonly type: 'submit';
  /** TP-MR, 0 to 255. Most modems put their own. */
  readonly mr: number;
  readonly to: Address;
  readonly pid: number;
  readonly dcs: number;
  readonly validity?: Validity;
  readonly userData: UserData;
  readonly rejectDuplicates: boolean;
  readonly statusReportRequest: boolean;
  readonly replyPath: boolean;
}

/** Fields that TP-PI announces at the end of a report, TS 23.040 9.2.3.27. */
export interface ReportParameters {
  readonly pid?: number;
  readonly dcs?: number;
  readonly userData?: UserData;
}

/** TS 23.040 9.2.2.3: what became of an earlier SUBMIT or COMMAND. */
export interface StatusReport extends ReportParameters {
  readonly type: 'status-report';
  readonly mr: number;
  readonly recipient: Address;
  /** When the service centre took the message (TP-SCTS). Undefined only where lenient reading found no time. */
  readonly time: TimeStamp | undefined;
  /** When it was delivered or last tried (TP-DT). As `time`. */
  readonly discharge: TimeStamp | undefined;
  /** TP-ST, see `statusOf`. */
  readonly status: number;
  /** The report answers a COMMAND, not a SUBMIT (TP-SRQ). */
  readonly answersCommand: boolean;
  readonly moreMessages: boolean;
  readonly loopPrevention: boolean;
}

/** TS 23.040 9.2.2.2a: the network's answer to a SUBMIT. */
export interface SubmitReport extends ReportParameters {
  readonly type: 'submit-report';
  /** TP-FCS, 0x80 to 0xFF; absent when the SUBMIT was accepted. */
  readonly failureCause?: number;
  readonly time: TimeStamp;
}

/** TS 23.040 9.2.2.1a: the mobile's answer to a DELIVER. */
export interface DeliverReport extends ReportParameters {
  readonly type: 'deliver-report';
  /** TP-FCS, 0x80 to 0xFF; absent when the DELIVER was accepted. */
  readonly failureCause?: number;
}

/** TS 23.040 9.2.2.4: an order about an earlier SUBMIT. */
export interface Command {
  readonly type: 'command';
  readonly mr: number;
  readonly pid: number;
  /** TP-CT: 0 enquiry, 1 cancel the report request, 2 delete, 3 enable the report request. */
  readonly commandType: number;
  /** TP-MN: the TP-MR of the message that it is about. */
  readonly messageNumber: number;
  readonly to: Address;
  /** TP-CD. */
  readonly userData: UserData;
  readonly statusReportRequest: boolean;
}

export type Tpdu = Deliver | Submit | StatusReport | SubmitReport | DeliverReport | Command;
