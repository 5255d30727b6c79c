/** Part of the directory's name. Raise it with every change of a file's content: engines hold the old one open. */
const miniatureVersion = 1;

export const miniatureName = `miniature-qwen3-v${miniatureVersion}`;
