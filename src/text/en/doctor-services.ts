/** Checks of the engine, Docker and the network: answers (`doctor.…`), meaning and mend (`check.…`). */
export const doctorServices = {};
