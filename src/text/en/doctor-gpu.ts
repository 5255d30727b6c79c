/** Checks of GPUs: answers (`doctor.…`), meaning and mend (`check.…`). */
export const doctorGpu = {};
