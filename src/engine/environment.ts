/**
 * What installers run with: the person's own environment (mirrors, proxies, certificates) without what would send
 * their work somewhere else than into the engine's own directory.
 */
const strays = [
  // another interpreter's modules, or another environment
  'PYTHONPATH',
  'PYTHONHOME',
  'PYTHONSTARTUP',
  'PYTHONUSERBASE',
  'VIRTUAL_ENV',
  'CONDA_PREFIX',
  '__PYVENV_LAUNCHER__',
  // bytecode must lie beside the modules, where a start finds it
  'PYTHONDONTWRITEBYTECODE',
  'PYTHONPYCACHEPREFIX',
  'PIP_TARGET',
  'PIP_PREFIX',
  'PIP_ROOT',
  'PIP_PYTHON',
  'PIP_REQUIREMENT',
  'PIP_DRY_RUN',
  'PIP_QUIET',
  'PIP_LOG',
  'PIP_REPORT',
  'UV_SYSTEM_PYTHON',
  'UV_PYTHON',
  'UV_PROJECT_ENVIRONMENT',
  'UV_PROJECT',
  'UV_WORKING_DIR',
  'UV_OVERRIDE',
  'UV_TORCH_BACKEND',
  'UV_NO_PROGRESS',
  'UV_VENV_SEED',
  'UV_NO_BINARY',
  'UV_COMPILE_BYTECODE',
  'FORCE_COLOR',
  'CLICOLOR_FORCE',
] as const;

export function toInstallEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept: NodeJS.ProcessEnv = { ...env };
  for (const name of strays) delete kept[name];
  return {
    ...kept,
    NO_COLOR: '1',
    PYTHONUNBUFFERED: '1',
    PIP_DISABLE_PIP_VERSION_CHECK: '1',
    PIP_NO_INPUT: '1',
    // `user = true` or `require-virtualenv = true` of a pip.conf would refuse or misplace everything
    PIP_USER: '0',
    PIP_REQUIRE_VIRTUALENV: '0',
  };
}
