/** Names of images: which one a version of vLLM has, and what Docker takes for a name. Pure. */
import type { EngineVariant } from '../profile/profile.ts';

export interface ImageSettings {
  /** `engine.image` of a profile: taken as it is. */
  readonly image?: string;
  /** Put in front of our own names: a registry (and path) that mirrors Docker Hub, `mirror.example/dockerhub`. */
  readonly prefix?: string;
  /** As Docker names it; the default is that of this machine. */
  readonly architecture?: string;
}

/** The pinned image of a version: no tag that moves. Images for CPUs have no common name for all architectures. */
export function toImageReference(version: string, variant: EngineVariant, settings: ImageSettings): string {
  const { image, prefix, architecture = toDockerArchitecture(process.arch) } = settings;
  if (image !== undefined) return image;
  const suffix = architecture === 'amd64' ? 'x86_64' : architecture;
  const name = variant === 'gpu' ? `vllm/vllm-openai:v${version}` : `vllm/vllm-openai-cpu:v${version}-${suffix}`;
  return prefix === undefined ? name : `${prefix.replace(/\/+$/, '')}/${name}`;
}

export function toImageSettings(env: NodeJS.ProcessEnv, image?: string): ImageSettings {
  const prefix = env.QWEN_DEPLOY_IMAGE_PREFIX?.trim();
  return { ...(prefix ? { prefix } : {}), ...(image === undefined ? {} : { image }) };
}

/** Node's word for an architecture → Docker's. */
export function toDockerArchitecture(arch: string): string {
  return arch === 'x64' ? 'amd64' : arch;
}

export interface ImageName {
  /** As people write it: without `docker.io/` and `library/`. */
  readonly name: string;
  readonly tag?: string;
  readonly digest?: string;
  /** All of it: the same image has the same text however it was written. Always with a tag or a digest. */
  readonly text: string;
}

const longest = 400;
const nameForm = /^(?:(?:[a-zA-Z\d](?:[a-zA-Z\d.-]*[a-zA-Z\d])?|\[[\da-fA-F:]+\])(?::\d+)?\/)?[a-z\d]+(?:(?:\.|_{1,2}|-+|\/)[a-z\d]+)*$/;
const tagForm = /^\w[\w.-]{0,127}$/;
const digestForm = /^sha256:[\da-f]{64}$/;

/**
 * Undefined when Docker would not take it. Without tag and digest it is `latest`, as on Docker's command line: asked
 * through the API, the bare name would fetch every tag that there is.
 */
export function parseImageName(written: string): ImageName | undefined {
  if (written.length > longest) return undefined;
  const [whole = '', digest, ...more] = written.split('@');
  if (more.length > 0 || (digest !== undefined && !digestForm.test(digest))) return undefined;
  // Before the last slash a colon belongs to the port of a registry.
  const at = whole.indexOf(':', whole.lastIndexOf('/') + 1);
  const [path, tag] = at < 0 ? [whole, undefined] : [whole.slice(0, at), whole.slice(at + 1)];
  if (!nameForm.test(path) || (tag !== undefined && !tagForm.test(tag))) return undefined;
  const name = toShortName(path);
  const known = { ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
  const effective = tag === undefined && digest === undefined ? { tag: 'latest' } : known;
  return { name, ...effective, text: `${name}${effective.tag ? `:${effective.tag}` : ''}${digest ? `@${digest}` : ''}` };
}

/** `docker.io/library/x` → `x`; `docker.io/vllm/vllm-openai` → `vllm/vllm-openai`. */
function toShortName(path: string): string {
  return path.replace(/^(?:index\.)?docker\.io\//, '').replace(/^library\/(?=[^/]+$)/, '');
}

/** `sha256:…`, or at least the twelve digits that Docker shows of it. */
export function isImageId(text: string): boolean {
  return /^(?:sha256:)?[\da-f]{12,64}$/.test(text);
}
