/** The switches that are set now. */
import { type Faults, parseFaultText, type RawFaults, toFaults } from './faults.ts';

export interface FaultBox {
  readonly faults: Faults;
  /** Sets and, with null or false, unsets switches; returns the patch, checked, acts and all. */
  change(patch: unknown): RawFaults;
}

export function createFaultBox(text: string): FaultBox {
  let raw = parseFaultText(text);
  let faults = toFaults(raw);
  return {
    get faults() {
      return faults;
    },
    change(patch) {
      const checked = parseFaultText(JSON.stringify(patch));
      raw = { ...raw, ...checked };
      faults = toFaults(raw);
      return checked;
    },
  };
}
