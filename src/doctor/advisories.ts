/**
 * Holes of vLLM that its own versions have closed, for the question whether an engine is too old to be reached by
 * others. Only those whose first sound release is published; where only the last bad one is, the release after it.
 */
export interface Advisory {
  readonly id: string;
  /** First release that has it; absent: as far back as anybody looked. */
  readonly since?: string;
  /** First release without it. */
  readonly fixed: string;
}

export const advisories = {
  source: 'osv.dev and the CVE records of vLLM',
  readOn: '2026-11-20',
  known: [
    { id: 'CVE-2026-115911', since: '0.16.0', fixed: '0.32.0' },
    { id: 'PYSEC-2026-4349', since: '0.19.0', fixed: '0.32.0' },
    { id: 'CVE-2026-114053', since: '0.7.3', fixed: '0.31.0' },
    { id: 'CVE-2026-105754', fixed: '0.30.0' },
    { id: 'CVE-2026-105757', fixed: '0.30.0' },
    { id: 'CVE-2026-105758', fixed: '0.30.0' },
    { id: 'CVE-2026-105760', fixed: '0.30.0' },
    { id: 'PYSEC-2026-4353', fixed: '0.30.0' },
    { id: 'CVE-2026-73557', fixed: '0.26.0' },
    { id: 'CVE-2026-54236', fixed: '0.24.0' },
    { id: 'CVE-2026-116176', since: '0.9.2', fixed: '0.24.0' },
    { id: 'CVE-2026-48746', since: '0.3.0', fixed: '0.22.0' },
    { id: 'CVE-2026-41523', fixed: '0.22.0' },
    { id: 'CVE-2026-47155', fixed: '0.22.0' },
    { id: 'CVE-2026-34756', since: '0.1.0', fixed: '0.19.0' },
    { id: 'CVE-2026-27893', since: '0.10.1', fixed: '0.18.0' },
    { id: 'CVE-2026-22778', since: '0.8.3', fixed: '0.14.1' },
    { id: 'CVE-2025-62426', fixed: '0.11.1' },
    { id: 'CVE-2025-46570', fixed: '0.9.0' },
    { id: 'CVE-2025-32444', since: '0.6.5', fixed: '0.8.5' },
    { id: 'CVE-2025-29770', fixed: '0.8.0' },
  ] satisfies readonly Advisory[] as readonly Advisory[],
} as const;
