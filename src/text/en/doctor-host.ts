/** Checks of the machine and of systemd: answers (`doctor.…`), meaning and mend (`check.…`). */
export const doctorHost = {};
