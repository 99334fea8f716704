/**
 * SMS transfer protocol data units (3GPP TS 23.040) and their alphabets (TS 23.038). Pure functions over octets; the
 * only error they throw is SmsError.
 */
export { type Address, addressOf, type NumberType, nameAddress } from './address.ts';
export { decodeSeptets, encodeSeptets } from './alphabet/gsm7.ts';
export { NO_SHIFT, type Shift, shiftOf } from './alphabet/national.ts';
export { packSeptets, packUssd, unpackSeptets, unpackUssd } from './alphabet/packing.ts';
export { decodeUcs2, encodeUcs2 } from './alphabet/ucs2.ts';
export {
  type Alphabet,
  type DataCoding,
  decodeDcs,
  encodeDcs,
  type MessageClass,
  type MessageWaiting,
} from './dcs.ts';
export { type DeliveryStatus, statusOf, statusReason } from './delivery-status.ts';
export { refusingText, SmsError, type SmsErrorCode } from './error.ts';
export {
  indicationText,
  isSilent,
  isSimDownload,
  replaceType,
  type WaitingIndication,
  waitingIndications,
} from './indications.ts';
export type { InformationElement } from './information-elements.ts';
export {
  type Concatenation,
  concatenationElement,
  concatenationOf,
  type Ports,
  portsElement,
  portsOf,
} from './information-elements.ts';
export { type MmsNotification, mmsText, readMmsNotification, WAP_PUSH_PORT } from './mms-notification.ts';
export type { Reading } from './octets.ts';
export { fromHex, toHex } from './octets.ts';
export { type DeliverHead, decodePdu, decodeTpdu, encodePdu, type Pdu, readDeliverHead } from './pdu.ts';
export { groupKey, type PartRecord, PartSet, type Placement, placePart } from './reassembly.ts';
export { type Segmentation, type SegmentOptions, segment, segmentData } from './segment.ts';
export type { Part, SplitOptions } from './split.ts';
export { joinData, joinParts, octetText, PART_MISSING, type PartContent, userDataText } from './text.ts';
export { type TimeStamp, timeStamp } from './time-stamp.ts';
export { type DeliverFields, encodeDeliver } from './tpdu/deliver.ts';
export { encodeStatusReport, type StatusReportFields } from './tpdu/reports.ts';
export { encodeSubmit, type SubmitFields } from './tpdu/submit.ts';
export type {
  Command,
  Deliver,
  DeliverReport,
  Direction,
  StatusReport,
  Submit,
  SubmitReport,
  Tpdu,
} from './tpdu/types.ts';
export { toUserData, type UserData, udhOf } from './user-data.ts';
export type { Validity } from './validity.ts';
export { relativeSeconds, relativeValidity } from './validity.ts';
