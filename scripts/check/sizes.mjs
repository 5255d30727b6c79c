// Files that have grown too long to be read. Functions are measured by the linter.
import { listFiles, readText } from './files.mjs';

const fileLines = 300;
/** A verb's file parses, calls once into operate, and hands the result to a view. */
const verbLines = 60;

export async function checkSizes(root) {
  const files = await listFiles(root, 'src', (path) => path.endsWith('/') || /\.tsx?$/.test(path));
  const verbs = await readVerbs(root, files);
  const problems = await Promise.all(
    // The message catalogue is data.
    files
      .filter((file) => !file.startsWith('src/text/'))
      .map(async (file) => {
        const lines = (await readText(root, file)).trimEnd().split('\n').length;
        const limit = verbs.includes(file) ? verbLines : fileLines;
        return lines > limit ? [`${file}:${limit + 1} has ${lines} lines; ${limit} is the limit`] : [];
      }),
  );
  return problems.flat();
}

/** A verb's file is one that configures a command. */
async function readVerbs(root, files) {
  const commands = files.filter((file) => file.startsWith('src/commands/'));
  const texts = await Promise.all(commands.map((file) => readText(root, file)));
  return commands.filter((_, index) => /^export (async )?function configure\(/m.test(texts[index]));
}
