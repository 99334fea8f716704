/** Where modem families leave the standard. The default is a modem that keeps to it. */
export interface Quirks {
  /** First index of a message storage. */
  readonly indexBase: 0 | 1;
  /** `+CMGL: 17,3,35`: no alpha field between two commas (Wavecom). */
  readonly noAlphaField: boolean;
  /** `+CPMS: "SM","ME"` without brackets and with empty ones behind, for the test command. */
  readonly bareMemoryList: boolean;
  /** `+CREG: 2, 1, 01A2, 0B3C`: unquoted hexadecimal and blanks. */
  readonly unquotedCells: boolean;
  /** `+CPIN` without a final OK (Wavecom). */
  readonly pinWithoutOk: boolean;
  /** `COMMAND NOT SUPPORT` instead of ERROR for an unknown command (Huawei E1752). */
  readonly commandNotSupport: boolean;
  /** +CNMI knows no ds=1, status reports are only stored. */
  readonly noDirectReports: boolean;
  /** `+CDSI: "SM"` although the report lies in SR (Quectel EC25). */
  readonly reportIndicationNamesSim: boolean;
  /** `^SMMEMFULL: "SM"` when a message finds no room. */
  readonly memoryFullIndication: boolean;
  /** +CMGD of an empty index answers +CMS ERROR: 321 instead of OK. */
  readonly deleteEmptyFails: boolean;
  /** TP-MR starts at 0 after a reboot, instead of going on from the SIM (EF_SMSS). */
  readonly referenceRestarts: boolean;
  /** Vendor codes come without the leading CR LF: `^RSSI:14\r\n`. */
  readonly bareVendorCodes: boolean;
}

export const noQuirks: Quirks = {
  indexBase: 1,
  noAlphaField: false,
  bareMemoryList: false,
  unquotedCells: false,
  pinWithoutOk: false,
  commandNotSupport: false,
  noDirectReports: false,
  reportIndicationNamesSim: false,
  memoryFullIndication: false,
  deleteEmptyFails: false,
  referenceRestarts: false,
  bareVendorCodes: true,
};
